import Gossip
import ProxyFront

extension Configuration {
    /// A configuration and the names of everything that could have been set.
    package struct Parsed: Sendable {
        package var configuration: Configuration
        /// Every key of the document, in full, in the order of the sections.
        package var keys: [String]
        /// Every environment variable that overrides a key.
        package var variables: [String]
    }

    /// Reads a configuration out of a document's text and the environment, which wins.
    ///
    /// Pure: neither files nor the process's own environment are looked at. An empty text is the
    /// configuration of a node that was told nothing.
    /// - Parameter file: the document's path, for the messages only.
    /// - Throws: `ConfigurationError` with every mistake and its line.
    package static func parse(
        _ text: String, environment: [String: String], file: String? = nil
    ) throws(ConfigurationError) -> Parsed {
        let document: TOMLNode
        do {
            document = try TOMLNode.parse(text)
        } catch {
            throw ConfigurationError(file: file, issues: [error])
        }
        let reader = ConfigurationReader(document, environment: environment)
        var configuration = Configuration(
            node: NodeSettings(dataDirectory: DataDirectory.standard(environment) ?? ""))
        configuration.readNode(reader.section("node"))
        configuration.readTLS(reader.section("tls"))
        configuration.readLimits(reader.section("limits"))
        configuration.readStore(reader.section("store"))
        configuration.readUpstream(reader.section("upstream"))
        let hosts = configuration.readGo(reader.section("go"))
        configuration.readSumDBs(reader.list("sumdb"))
        configuration.checkHosts(hosts)
        configuration.readRegistry(reader.section("registry"))
        configuration.readCluster(reader.section("cluster"))
        configuration.readAccess(reader.section("access"))
        configuration.readPolicy(reader.list("policy") ?? [])
        configuration.readImport(reader.section("import"))
        configuration.readLog(reader.section("log"))
        configuration.readAudit(reader.section("audit"))
        configuration.readMetrics(reader.section("metrics"))
        reader.reportUnknown()
        guard reader.issues.isEmpty else { throw ConfigurationError(file: file, issues: reader.issues) }
        return Parsed(configuration: configuration, keys: reader.keys, variables: reader.variables)
    }

    private mutating func readNode(_ section: SectionReader) {
        node.dataDirectory = section.read("data_dir", .path, or: nil) ?? node.dataDirectory
        if node.dataDirectory.isEmpty {
            section.refuse("data_dir", "has no default here, because HOME is not set; name a folder")
        }
        node.listen = section.read("listen", .addresses, or: node.listen)
        section.finish()
    }

    private mutating func readTLS(_ section: SectionReader) {
        let certificate = section.read("certificate_file", .path, or: nil)
        let key = section.read("private_key_file", .path, or: nil)
        switch (certificate, key) {
        case (let certificate?, let key?):
            tls = TLSSettings(certificateFile: certificate, keyFile: key)
        case (nil, nil): tls = nil
        case (nil, _): section.refuse("private_key_file", "needs tls.certificate_file beside it")
        case (_, nil): section.refuse("certificate_file", "needs tls.private_key_file beside it")
        }
        section.finish()
    }

    private mutating func readLimits(_ section: SectionReader) {
        let wait = Duration.milliseconds(100)...Duration.seconds(86_400)
        limits.connections = section.read("connections", .integer(1...1_000_000), or: limits.connections)
        limits.connectionsPerAddress = section.read(
            "connections_per_address", .integer(1...1_000_000), or: limits.connectionsPerAddress)
        limits.headerSize = section.read("header_size", .size(1024...(1 << 20)), or: limits.headerSize)
        limits.requestSize = section.read("request_size", .size(0...(1 << 40)), or: limits.requestSize)
        limits.headerTimeout = section.read("header_timeout", .duration(wait), or: limits.headerTimeout)
        limits.idleTimeout = section.read("idle_timeout", .duration(wait), or: limits.idleTimeout)
        limits.stallTimeout = section.read("stall_timeout", .duration(wait), or: limits.stallTimeout)
        limits.shutdownGrace = section.read(
            "shutdown_grace", .duration(.zero...wait.upperBound), or: limits.shutdownGrace)
        section.finish()
    }

    private mutating func readStore(_ section: SectionReader) {
        store.capacity = section.read("capacity", .size(), or: store.capacity)
        store.highWater = section.read("high_water", .fraction, or: store.highWater)
        store.lowWater = section.read("low_water", .fraction, or: store.lowWater)
        if store.lowWater >= store.highWater {
            section.refuse("low_water", "must be below store.high_water, which is \(store.highWater)")
        }
        if store.capacity != 0, store.capacity < 64 << 20 {
            section.refuse("capacity", "\(ByteSize.text(store.capacity)) is too little; give 64 MiB or more")
        }
        store.reservedFree = section.read("reserved_free", .size(), or: store.reservedFree)
        store.smallObjectLimit = section.read(
            "small_object_limit", .size(0...(4 << 20)), or: store.smallObjectLimit)
        store.foldAfter = section.read("fold_after", .duration(.zero...Self.decade), or: store.foldAfter)
        store.scrubRate = section.read("scrub_rate", .size(), or: store.scrubRate)
        for (pattern, node) in section.pairs("max_unused") {
            do throws(BadSetting) {
                let age = try SettingKind.duration(.seconds(60)...Self.decade).read(node.value)
                store.maxUnused.append(.init(pattern: pattern, age: age))
            } catch {
                section.report(node, "max_unused", "\"\(pattern)\": \(error.message)")
            }
        }
        section.finish()
    }

    private mutating func readUpstream(_ section: SectionReader) {
        let wait = Duration.milliseconds(100)...Duration.seconds(3600)
        upstream.proxy = section.read("proxy", .string, or: "").nilIfEmpty
        if let proxy = upstream.proxy {
            do throws(OutboundProxyError) { _ = try OutboundProxy(url: proxy) } catch {
                section.refuse("proxy", error.description)
            }
        }
        upstream.noProxy = section.read("no_proxy", .strings, or: upstream.noProxy)
        upstream.proxyUser = section.read("proxy_user", .string, or: "").nilIfEmpty
        upstream.proxyPasswordFile = section.read("proxy_password_file", .path, or: nil)
        if (upstream.proxyUser == nil) != (upstream.proxyPasswordFile == nil) {
            section.refuse(
                upstream.proxyUser == nil ? "proxy_password_file" : "proxy_user",
                "proxy_user and proxy_password_file go together")
        }
        upstream.netrcFile = section.read("netrc_file", .path, or: upstream.netrcFile)
        upstream.caFiles = section.read("ca_files", .paths, or: upstream.caFiles)
        upstream.redirectHosts = section.read("redirect_hosts", .strings, or: upstream.redirectHosts)
        upstream.onlyRedirectHosts = section.read(
            "only_redirect_hosts", .flag, or: upstream.onlyRedirectHosts)
        upstream.connectTimeout = section.read(
            "connect_timeout", .duration(wait), or: upstream.connectTimeout)
        upstream.firstByteTimeout = section.read(
            "first_byte_timeout", .duration(wait), or: upstream.firstByteTimeout)
        upstream.stallTimeout = section.read("stall_timeout", .duration(wait), or: upstream.stallTimeout)
        section.finish()
    }

    private mutating func readImport(_ section: SectionReader) {
        `import`.trustedKeys = section.read("trusted_keys", .nodeKeys, or: `import`.trustedKeys)
        section.finish()
    }

    private mutating func readLog(_ section: SectionReader) {
        log.format = section.read("format", .choice, or: log.format)
        log.level = section.read("level", .choice, or: log.level)
        log.requests = section.read("requests", .flag, or: log.requests)
        section.finish()
    }

    private mutating func readAudit(_ section: SectionReader) {
        let file = section.read("file", .string, or: audit.file ?? "")
        audit.file = file.isEmpty ? nil : file
        audit.maxSize = section.read("max_size", .size(4096...(1 << 40)), or: audit.maxSize)
        audit.keep = section.read("keep", .integer(0...1000), or: audit.keep)
        section.finish()
    }

    private mutating func readMetrics(_ section: SectionReader) {
        metrics.enabled = section.read("enabled", .flag, or: metrics.enabled)
        section.finish()
    }

    static let decade = Duration.seconds(3650 * 86_400)
}

extension SettingKind where Value == [NodeID] {
    /// Public keys of nodes, as `edgenode key` prints them.
    static var nodeKeys: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [NodeID] in
            var keys: [NodeID] = []
            for text in texts {
                do throws(NodeIDError) { keys.append(try NodeID(parsing: text)) } catch {
                    throw BadSetting("\(error); `edgenode key` prints it on that node")
                }
            }
            return keys
        }
    }
}

extension SettingKind where Value == [ListenAddress] {
    static var addresses: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [ListenAddress] in
            guard !texts.isEmpty else { throw BadSetting("must name at least one address") }
            var addresses: [ListenAddress] = []
            for text in texts {
                addresses.append(
                    try parsed { () throws(QuantityError) in try ListenAddress(parsing: text) })
            }
            return addresses
        }
    }
}

extension SettingKind where Value == UpstreamURL? {
    /// An http or https URL without credentials, query and trailing slash; the empty string is nil.
    static var url: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> UpstreamURL? in
            if text.isEmpty { return nil }
            let url: UpstreamURL
            do throws(UpstreamURLError) { url = try UpstreamURL(parsing: text) } catch {
                throw BadSetting(error.description)
            }
            guard url.query == nil else { throw BadSetting("\"\(text)\" must not have a query") }
            return url
        }
    }
}
