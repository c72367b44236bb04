import ProxyFront

extension SettingKind where Value == String? {
    /// What follows `docker-credential-` in the name of a credential helper; the empty string is nil.
    static var helperName: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> String? in
            if text.isEmpty { return nil }
            guard CredentialHelper.isName(text) else {
                throw BadSetting(
                    "\"\(text)\" is no helper: write what follows \"docker-credential-\" in its program's name"
                )
            }
            return text
        }
    }
}

extension SettingKind where Value == RegistryHost? {
    static var registryHost: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> RegistryHost? in
            try host(text)
        }
    }
}

extension SettingKind where Value == [RegistryHost] {
    static var registryHosts: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [RegistryHost] in
            var hosts: [RegistryHost] = []
            for text in texts { hosts.append(try host(text)) }
            return hosts
        }
    }
}

extension SettingKind where Value == [String] {
    /// Hosts, with or without a port, in lower case.
    static var hostNames: SettingKind {
        SettingKind<[RegistryHost]>.registryHosts.map {
            (hosts: [RegistryHost]) throws(BadSetting) -> [String] in
            hosts.map(\.text)
        }
    }
}

private func host(_ text: String) throws(BadSetting) -> RegistryHost {
    do throws(RegistryNameError) { return try RegistryHost(text) } catch {
        throw BadSetting("\(error); without https:// and without a path")
    }
}

extension SettingKind where Value == [UpstreamURL] {
    /// Where a registry's `/v2/` is, without that path: one URL or several, asked in order.
    static var registryURLs: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [UpstreamURL] in
            guard !texts.isEmpty else { throw BadSetting("must name at least one URL") }
            var urls: [UpstreamURL] = []
            for text in texts {
                guard let url = try SettingKind<UpstreamURL?>.url.read(.string(text)) else {
                    throw BadSetting("must not be empty; leave it out for https:// and the registry's name")
                }
                guard !url.path.hasSuffix("/v2"), !url.path.hasSuffix("/v2/") else {
                    throw BadSetting("\"\(text)\": leave \"/v2\" out; the node appends it")
                }
                urls.append(url)
            }
            return urls
        }
    }
}

extension SettingKind where Value == [RepositoryRewrite] {
    /// `"from -> to"`: the `*` of the right side is what the one of the left side stood for.
    static var rewrites: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [RepositoryRewrite] in
            var rewrites: [RepositoryRewrite] = []
            for text in texts { rewrites.append(try rewrite(text)) }
            return rewrites
        }
    }

    private static func rewrite(_ text: String) throws(BadSetting) -> RepositoryRewrite {
        guard let arrow = text.firstRange(of: "->") else {
            throw BadSetting("\"\(text)\" must read \"from -> to\", such as \"team/* -> acme/team/*\"")
        }
        let from = text[..<arrow.lowerBound].trimmingSpaces()
        let to = text[arrow.upperBound...].trimmingSpaces()
        guard from.contains("*") || !to.contains("*") else {
            throw BadSetting(
                "\"\(text)\": the * of \"\(to)\" stands for nothing, because \"\(from)\" has none")
        }
        for side in [from, to] {
            // Whatever a star stands for is part of a good name.
            do throws(RegistryNameError) { _ = try RepositoryName(side.replacing("*", with: "a")) } catch {
                throw BadSetting("\"\(text)\": \(error)")
            }
        }
        return RepositoryRewrite(from: from, to: to)
    }
}
