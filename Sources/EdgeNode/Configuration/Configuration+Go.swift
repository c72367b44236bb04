extension Configuration {
    mutating func readGo(_ section: SectionReader) {
        let span = Duration.zero...Self.decade
        go.upstreams = section.read("upstreams", .upstreams, or: go.upstreams)
        go.private = section.read("private", .strings, or: go.private)
        go.include = section.read("include", .strings, or: go.include)
        go.exclude = section.read("exclude", .strings, or: go.exclude)
        go.freshFor = section.read("fresh_for", .duration(span), or: go.freshFor)
        go.missFor = section.read("miss_for", .duration(span), or: go.missFor)
        go.fillLimit = section.read("fill_limit", .size(), or: go.fillLimit)
        go.hosts = section.list("upstream").compactMap { readHost($0) }
        section.finish()
    }

    private func readHost(_ section: SectionReader) -> UpstreamHostSettings? {
        let url = section.read("url", .url, or: nil)
        var host = UpstreamHostSettings(url: url ?? "")
        host.user = section.read("user", .string, or: "").nilIfEmpty
        host.passwordFile = section.read("password_file", .path, or: nil)
        host.tokenFile = section.read("token_file", .path, or: nil)
        host.proxy = section.read("proxy", .url, or: nil)
        host.caFile = section.read("ca_file", .path, or: nil)
        section.finish()

        guard url != nil else {
            section.refuse("url", "is missing; give one of the URLs in go.upstreams")
            return nil
        }
        if !go.upstreams.entries.contains(where: { $0.url == host.url }) {
            section.refuse("url", "\"\(host.url)\" is not in go.upstreams, which is \"\(go.upstreams)\"")
        }
        if (host.user == nil) != (host.passwordFile == nil) {
            section.refuse(host.user == nil ? "password_file" : "user", "user and password_file go together")
        }
        if host.tokenFile != nil, host.passwordFile != nil {
            section.refuse("token_file", "give a token or a user and password, not both")
        }
        return host
    }

    /// No `[[sumdb]]` at all means the public database; those that are listed stand instead of it.
    mutating func readSumDBs(_ sections: [SectionReader]?, _ reader: ConfigurationReader) {
        guard let sections else { return }
        sumdbs = sections.compactMap { readSumDB($0) }
        var names: Set<String> = []
        for (section, database) in zip(sections, sumdbs) where !names.insert(database.name).inserted {
            section.refuse("name", "\"\(database.name)\" is listed twice; give each database one [[sumdb]]")
        }
    }

    private func readSumDB(_ section: SectionReader) -> SumDBSettings? {
        let name = section.read("name", .string, or: "")
        let isPublic = name == SumDBSettings.public.name
        let key = section.read("key", .string, or: isPublic ? SumDBSettings.public.key : "")
        let url = section.read("url", .url, or: nil) ?? "https://\(name)"
        let patterns = section.read("patterns", .strings, or: ["*"])
        section.finish()

        guard !name.isEmpty else {
            section.refuse("name", "is missing; it is the first part of the database's key")
            return nil
        }
        guard !key.isEmpty else {
            section.refuse("key", "is missing; give the verifier key of \(name), <name>+<hash>+<base64>")
            return nil
        }
        guard key.hasPrefix(name + "+") else {
            section.refuse("key", "must begin with the database's name, \"\(name)+\"")
            return nil
        }
        return SumDBSettings(name: name, key: key, url: url, patterns: patterns)
    }
}

extension SettingKind where Value == UpstreamList {
    static var upstreams: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> UpstreamList in
            try parsed { () throws(QuantityError) in try UpstreamList(parsing: text) }
        }
    }
}

extension String {
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
