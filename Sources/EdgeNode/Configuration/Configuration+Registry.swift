import ProxyFront

extension Configuration {
    mutating func readRegistry(_ section: SectionReader) {
        let span = Duration.zero...Self.decade
        let wanted = section.read("default", .string, or: RegistryHost.dockerHub.text)
        registry.freshFor = section.read("fresh_for", .duration(span), or: registry.freshFor)
        registry.missFor = section.read("miss_for", .duration(span), or: registry.missFor)
        registry.fillLimit = section.read("fill_limit", .size(), or: registry.fillLimit)
        registry.dockerConfig = section.read("docker_config", .path, or: nil)
        if !section.read("public", .flag, or: true) { registry.entries = [] }
        // A shipped registry is as fresh as the file says, until an entry says something else.
        for index in registry.entries.indices {
            registry.entries[index].upstream.freshFor = registry.freshFor
        }

        var named: Set<RegistryHost> = []
        for table in section.list("upstream") {
            guard let entry = readRegistryEntry(table) else { continue }
            guard named.insert(entry.upstream.host).inserted else {
                table.refuse(
                    "name",
                    "\"\(entry.upstream.host)\" is listed twice; give each registry one [[registry.upstream]]"
                )
                continue
            }
            if let index = registry.entries.firstIndex(where: { $0.upstream.host == entry.upstream.host }) {
                registry.entries[index] = entry
            } else {
                registry.entries.append(entry)
            }
            checkAliases(of: entry.upstream, table)
        }
        chooseDefault(wanted, section)
        section.finish()
    }

    /// One name must lead to one registry.
    private func checkAliases(of upstream: RegistryUpstream, _ section: SectionReader) {
        for other in registry.entries.map(\.upstream) where other.host != upstream.host {
            for alias in upstream.aliases where alias == other.host || other.aliases.contains(alias) {
                section.refuse("aliases", "\"\(alias)\" already means \(other.host); take it out here")
            }
            if other.aliases.contains(upstream.host) {
                section.refuse("name", "\"\(upstream.host)\" is another name of \(other.host); use that one")
            }
        }
    }

    private mutating func chooseDefault(_ wanted: String, _ section: SectionReader) {
        registry.defaultHost = nil
        if wanted.isEmpty { return }
        let upstreams = registry.entries.map(\.upstream)
        let host = try? RegistryHost(wanted)
        guard let known = upstreams.first(where: { $0.host == host || $0.aliases.contains { $0 == host } })
        else {
            // Nobody asked for Docker Hub where only its name is left.
            guard section.has("default") else { return }
            let names = upstreams.map(\.host.text)
            let hint = NearestWord.to(wanted, among: names).map { "; did you mean \"\($0)\"?" }
            section.refuse(
                "default",
                "\"\(wanted)\" is no registry of this node"
                    + (hint ?? "; give it a [[registry.upstream]], or name one of: "
                        + names.joined(separator: ", ")))
            return
        }
        registry.defaultHost = known.host
    }

    private func readRegistryEntry(_ section: SectionReader) -> RegistryEntry? {
        let name = section.read("name", .registryHost, or: nil)
        let shipped = registry.entries.first { $0.upstream.host == name }?.upstream
        var upstream =
            shipped ?? name.map { RegistryUpstream(host: $0, endpoints: [$0.standardURL]) } ?? .unknown
        upstream.endpoints = section.read("url", .registryURLs, or: upstream.endpoints)
        upstream.aliases = section.read("aliases", .registryHosts, or: upstream.aliases)
            .reduce(into: []) { if $1 != upstream.host, !$0.contains($1) { $0.append($1) } }
        upstream.rewrites = section.read("rewrites", .rewrites, or: upstream.rewrites)
        upstream.addsLibrary = section.read("library", .flag, or: upstream.addsLibrary)
        upstream.tokenHosts = section.read("token_hosts", .hostNames, or: upstream.tokenHosts)
        let secret = readSecret(section)
        upstream.passesCredentials = section.read(
            "pass_credentials", .flag, or: upstream.passesCredentials)
        upstream.freshFor = section.read(
            "fresh_for", .duration(.zero...Self.decade), or: registry.freshFor)
        upstream.freshness = readFreshness(section)
        upstream.caFiles = section.read("ca_files", .paths, or: [])
        upstream.clientCertificateFile = section.read("client_certificate_file", .path, or: nil)
        upstream.clientKeyFile = section.read("client_key_file", .path, or: nil)
        section.finish()

        if (upstream.clientCertificateFile == nil) != (upstream.clientKeyFile == nil) {
            section.refuse(
                upstream.clientCertificateFile == nil ? "client_key_file" : "client_certificate_file",
                "client_certificate_file and client_key_file go together")
        }
        guard name != nil else {
            if !section.has("name") {
                section.refuse(
                    "name", "is missing; give the registry as image names carry it, such as \"quay.io\"")
            }
            return nil
        }
        return RegistryEntry(upstream, secret: secret)
    }

    private func readSecret(_ section: SectionReader) -> RegistrySecret? {
        let user = section.read("user", .string, or: "").nilIfEmpty
        let passwordFile = section.read("password_file", .path, or: nil)
        let tokenFile = section.read("token_file", .path, or: nil)
        let helper = section.read("credential_helper", .helperName, or: nil)
        if (user == nil) != (passwordFile == nil) {
            section.refuse(user == nil ? "password_file" : "user", "user and password_file go together")
        }
        var secrets: [(key: String, secret: RegistrySecret)] = []
        if let user, let passwordFile {
            secrets.append(("password_file", .password(user: user, file: passwordFile)))
        }
        if let tokenFile { secrets.append(("token_file", .token(file: tokenFile))) }
        if let helper { secrets.append(("credential_helper", .helper(name: helper))) }
        for extra in secrets.dropFirst() {
            section.refuse(
                extra.key, "give one of user with password_file, token_file and credential_helper")
        }
        return secrets.first?.secret
    }

    /// The pattern that says most stands first: it is the one that counts.
    private func readFreshness(_ section: SectionReader) -> [(pattern: String, span: Duration)] {
        var freshness: [(pattern: String, span: Duration)] = []
        for (pattern, node) in section.pairs("freshness", such: "{ \"library/*:latest\" = \"60s\" }") {
            do throws(BadSetting) {
                guard pattern.contains(":") else {
                    throw BadSetting("must read repository:tag, such as \"library/*:latest\"")
                }
                let span = try SettingKind.duration(.zero...Self.decade).read(node.value)
                freshness.append((pattern, span))
            } catch {
                section.report(node, "freshness", "\"\(pattern)\": \(error.message)")
            }
        }
        func weight(_ pattern: String) -> Int { pattern.utf8.count { $0 != UInt8(ascii: "*") } }
        return freshness.sorted { (weight($0.pattern), $1.pattern) > (weight($1.pattern), $0.pattern) }
    }

    /// Everybody whom the node may ask.
    package var askedOrigins: Set<UpstreamOrigin> {
        upstreamOrigins.union(registryEndpoints.map(\.base.origin))
    }

    package var registryEndpoints: [Upstream] {
        registry.entries.flatMap { $0.upstream.endpoints.map { Upstream(base: $0) } }
    }

    /// The registries as the front asks them, each with its credential.
    package func registryUpstreams(_ credentials: [RegistryHost: RegistryCredential]) -> [RegistryUpstream] {
        registry.entries.map { entry in
            var upstream = entry.upstream
            upstream.credential = credentials[upstream.host]
            return upstream
        }
    }
}

extension RegistryUpstream {
    /// Stands in where the name was bad, so that the mistakes behind it are found too.
    fileprivate static var unknown: RegistryUpstream { RegistryUpstream(host: .dockerHub, endpoints: []) }
}
