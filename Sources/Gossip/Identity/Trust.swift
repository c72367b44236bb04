import Content

import struct FoundationEssentials.Date

/// Who is a member: a value that is asked with everything it needs and remembers what it must
/// (docs/trust-model.md).
public struct Trust: Sendable {
    /// What an admitted node is.
    public struct Admission: Hashable, Sendable {
        public let zone: Zone
        public let roles: Roles
        public let serial: Serial?
        public let expires: Date?
    }

    /// Invitations whose first key is remembered at most; beyond it an unknown one is refused.
    static let serialLimit = 65_536
    /// Chains whose signatures are remembered as good.
    static let memoLimit = 16_384

    public let anchor: TrustAnchor
    public let cluster: ClusterID
    /// Whether an expired certificate ends membership, instead of a warning.
    public let strictExpiry: Bool
    public private(set) var revocations: RevocationList? {
        didSet {
            revokedKeys = Set(revocations?.keys ?? [])
            revokedSerials = Set(revocations?.serials ?? [])
        }
    }
    /// What the list holds, for a look with each datagram.
    private var revokedKeys: Set<NodeID> = []
    private var revokedSerials: Set<Serial> = []
    /// The first key seen of each invitation; two keys hold both back.
    private var holders: [Serial: NodeID] = [:]
    private var heldBack: Set<Serial> = []
    private var verified: Set<[UInt8]> = []
    /// Shared by the nodes of a simulation.
    package var memo: SignatureMemo?

    public init(anchor: TrustAnchor, cluster: ClusterID, strictExpiry: Bool = false) {
        self.anchor = anchor
        self.cluster = cluster
        self.strictExpiry = strictExpiry
    }

    /// Whether the node of `key`, which has proven to hold it, is a member.
    ///
    /// A second key for one invitation is refused. Where that one was let in elsewhere while the cluster was split,
    /// `conflict(_:key:)` holds both back.
    /// - Parameter now: the trusted time.
    public mutating func admit(
        _ certificate: NodeCertificate?, key: NodeID, now: Date
    ) -> Result<Admission, TrustRefusal> {
        switch anchor {
        case .members(let members):
            guard let member = members.first(where: { $0.key == key }) else { return .failure(.notListed) }
            return .success(Admission(zone: member.zone, roles: member.roles, serial: nil, expires: nil))
        case .root(let root):
            guard let certificate else { return .failure(.noCertificate) }
            guard certificate.node == key else { return .failure(.otherNode) }
            do throws(TrustRefusal) { try verify(certificate, root: root) } catch { return .failure(error) }
            if let refusal = refusal(of: key, certificate, now: now) { return .failure(refusal) }
            holders[certificate.serial] = key
            return .success(
                Admission(
                    zone: certificate.zone, roles: certificate.roles, serial: certificate.serial,
                    expires: certificate.expires))
        }
    }

    private mutating func verify(_ certificate: NodeCertificate, root: NodeID) throws(TrustRefusal) {
        if certificate.cluster == cluster,
            memo?.isGood(
                root.bytes + certificate.encoded,
                { (try? certificate.verify(root: root, cluster: cluster)) != nil })
                == true
        {
            return
        }
        let digest = Blake2b.hash(certificate.encoded, count: 32)
        guard !verified.contains(digest) else { return }
        try certificate.verify(root: root, cluster: cluster)
        if verified.count >= Self.memoLimit { verified.removeAll() }
        verified.insert(digest)
    }

    /// Why a node whose certificate is genuine is no member all the same; nil when it is one.
    public func refusal(of key: NodeID, _ certificate: NodeCertificate?, now: Date) -> TrustRefusal? {
        if revokedKeys.contains(key) { return .revoked(serial: nil) }
        guard let certificate else { return nil }
        if revokedSerials.contains(certificate.serial) {
            return .revoked(serial: certificate.serial)
        }
        if heldBack.contains(certificate.serial) { return .heldBack(certificate.serial) }
        if let first = holders[certificate.serial] {
            if first != key { return .invitationUsed(certificate.serial) }
        } else if holders.count >= Self.serialLimit {
            return .malformed("more invitations than this node keeps account of")
        }
        if certificate.joined > certificate.invitation.joinBy {
            return .joinedTooLate(certificate.invitation.joinBy)
        }
        if strictExpiry, now > certificate.expires { return .expired(certificate.expires) }
        return nil
    }

    /// Another member has admitted `certificate.node` under an invitation that this node knows another key of: both
    /// are held back until the operator revokes it. The certificate's signatures are checked first.
    /// - Returns: true when that is news, for the alarm.
    public mutating func conflict(_ certificate: NodeCertificate) -> Bool {
        guard case .root(let root) = anchor, let first = holders[certificate.serial],
            first != certificate.node, !heldBack.contains(certificate.serial)
        else { return false }
        do throws(TrustRefusal) { try verify(certificate, root: root) } catch { return false }
        heldBack.insert(certificate.serial)
        return true
    }

    /// Takes a list over if it is the root's and newer.
    /// - Returns: whether it was newer.
    /// - Throws: `TrustRefusal` for a list that is not this cluster's.
    public mutating func merge(_ list: RevocationList) throws(TrustRefusal) -> Bool {
        guard list.number > revocations?.number ?? 0 else { return false }
        guard case .root(let root) = anchor else { return false }
        guard list.cluster == cluster else { throw .otherCluster(list.cluster) }
        guard list.isSigned(by: root) else { throw .notSignedByRoot }
        revocations = list
        return true
    }
}

extension Trust {
    /// What has to survive a restart.
    package func encode(into writer: inout WireWriter) {
        writer.writeBlock(revocations?.encoded ?? [])
        let known = holders.sorted { $0.key < $1.key }
        writer.writeNumber(known.count)
        for (serial, key) in known {
            writer.write(serial.bytes)
            writer.write(key.bytes)
        }
        let held = heldBack.sorted()
        writer.writeNumber(held.count)
        for serial in held { writer.write(serial.bytes) }
    }

    /// Takes up what `encode` wrote.
    package mutating func restore(from reader: inout WireReader) throws {
        let list = try reader.readBlock(limit: 1 << 20)
        if !list.isEmpty {
            var inner = WireReader(list)
            _ = try merge(try RevocationList(from: &inner))
        }
        for _ in 0..<(try reader.readCount(limit: Self.serialLimit)) {
            let serial = try Serial(from: &reader)
            holders[serial] = try NodeID(from: &reader)
        }
        for _ in 0..<(try reader.readCount(limit: Self.serialLimit)) {
            heldBack.insert(try Serial(from: &reader))
        }
    }
}
