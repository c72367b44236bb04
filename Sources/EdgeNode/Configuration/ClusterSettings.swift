import Gossip

/// What a node is told of its cluster. Without a membership in the data folder and without a list of members none of it
/// is used.
package struct ClusterSettings: Sendable, Equatable {
    /// UDP and TCP.
    package var listen = ListenAddress(trusted: "0.0.0.0", port: 4891)
    /// Where others reach this node; nil = worked out from `listen` and the machine's interfaces.
    package var advertise: ListenAddress?
    package var seeds: [ListenAddress] = []
    package var zoneOrder: [Zone] = []
    /// Bytes a second for other nodes; 0 = no cap.
    package var uploadRate: Int64 = 0
    package var uploadStreams = 64
    package var strictExpiry = false
    /// Older revocation lists do not do for private content and names that may change; zero = any does.
    package var revocationMaxAge = Duration.zero
    /// The cluster secret, for those who list the members instead of inviting them.
    package var secretFile: String?
    package var members: [StaticMember] = []
}

extension Configuration {
    mutating func readCluster(_ section: SectionReader) {
        cluster.listen = section.read("listen", .address, or: cluster.listen)
        if cluster.listen.port == 0 { section.refuse("listen", "needs a port that others can be told") }
        cluster.advertise = section.read("advertise", .optionalAddress, or: cluster.advertise)
        cluster.seeds = section.read("seeds", .addressList, or: cluster.seeds)
        cluster.zoneOrder = section.read("zone_order", .zones, or: cluster.zoneOrder)
        cluster.uploadRate = section.read("upload_rate", .size(), or: cluster.uploadRate)
        cluster.uploadStreams = section.read("upload_streams", .integer(1...4096), or: cluster.uploadStreams)
        cluster.strictExpiry = section.read("strict_expiry", .flag, or: cluster.strictExpiry)
        cluster.revocationMaxAge = section.read(
            "revocation_max_age", .duration(.zero...Duration.seconds(3650 * 86_400)),
            or: cluster.revocationMaxAge)
        cluster.secretFile = section.read("secret_file", .path, or: nil)
        for table in section.list("member") {
            if let member = readMember(table) { cluster.members.append(member) }
        }
        if cluster.members.isEmpty != (cluster.secretFile == nil) {
            section.refuse(
                "secret_file",
                "goes together with [[cluster.member]]; a node that joined with a token needs neither")
        }
        if !cluster.members.isEmpty, cluster.revocationMaxAge > .zero {
            section.refuse(
                "revocation_max_age",
                "has no meaning with [[cluster.member]]: whoever is taken off that list is out, and there is no other"
            )
        }
        section.finish()
    }

    private func readMember(_ section: SectionReader) -> StaticMember? {
        let key = section.read("key", .optionalNodeKey, or: nil)
        let address = section.read("address", .optionalAddress, or: nil)
        let zone = section.read("zone", .zone, or: .standard)
        let roles = section.read("roles", .roles, or: [])
        section.finish()
        guard let key else {
            if !section.has("key") {
                section.refuse("key", "is missing; `edgenode key` prints it on that node")
            }
            return nil
        }
        return StaticMember(key: key, zone: zone, roles: roles, address: address.map { "\($0)" })
    }
}

extension SettingKind where Value == ListenAddress {
    static var address: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> ListenAddress in
            try parsed { () throws(QuantityError) in try ListenAddress(parsing: text) }
        }
    }
}

extension SettingKind where Value == ListenAddress? {
    /// `host:port`; the empty string is nil.
    static var optionalAddress: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> ListenAddress? in
            text.isEmpty ? nil : try parsed { () throws(QuantityError) in try ListenAddress(parsing: text) }
        }
    }
}

extension SettingKind where Value == [ListenAddress] {
    /// As `addresses`, and there may be none.
    static var addressList: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [ListenAddress] in
            var addresses: [ListenAddress] = []
            for text in texts {
                addresses.append(try parsed { () throws(QuantityError) in try ListenAddress(parsing: text) })
            }
            return addresses
        }
    }
}

extension SettingKind where Value == Zone {
    static var zone: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> Zone in
            do throws(Zone.Malformed) { return try Zone(text) } catch { throw BadSetting("\(error)") }
        }
    }
}

extension SettingKind where Value == [Zone] {
    static var zones: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [Zone] in
            var zones: [Zone] = []
            for text in texts {
                do throws(Zone.Malformed) { zones.append(try Zone(text)) } catch {
                    throw BadSetting("\(error)")
                }
            }
            return zones
        }
    }
}

extension SettingKind where Value == Roles {
    static var roles: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> Roles in
            guard let roles = Roles(names: texts) else {
                throw BadSetting(
                    "holds an unknown role; there are: \(Roles.knownNames.joined(separator: ", "))")
            }
            return roles
        }
    }
}

extension SettingKind where Value == NodeID? {
    static var optionalNodeKey: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> NodeID? in
            do throws(NodeIDError) { return try NodeID(parsing: text) } catch {
                throw BadSetting("\(error); `edgenode key` prints it on that node")
            }
        }
    }
}
