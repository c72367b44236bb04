import ProxyFront

extension Configuration {
    /// Gives the tables of the upstreams' credentials, for `checkHosts` once the databases are known too.
    mutating func readGo(_ section: SectionReader) -> [SectionReader] {
        let span = Duration.zero...Self.decade
        go.upstreams = section.read("upstreams", .upstreams, or: go.upstreams)
        go.private = section.read("private", .patterns, or: go.private)
        go.access = AccessPatterns(
            include: section.read("include", .patterns, or: go.access.include),
            exclude: section.read("exclude", .patterns, or: go.access.exclude))
        go.freshFor = section.read("fresh_for", .duration(span), or: go.freshFor)
        go.missFor = section.read("miss_for", .duration(span), or: go.missFor)
        go.fillLimit = section.read("fill_limit", .size(), or: go.fillLimit)
        go.sumDBWait = section.read(
            "sumdb_wait", .duration(.zero...Duration.seconds(600)), or: go.sumDBWait)
        let hosts = section.list("upstream")
        go.hosts = hosts.compactMap { readHost($0) }
        section.finish()
        return go.hosts.count == hosts.count ? hosts : []
    }

    private func readHost(_ section: SectionReader) -> UpstreamHostSettings? {
        let url = section.read("url", .url, or: nil)
        let user = section.read("user", .string, or: "").nilIfEmpty
        let passwordFile = section.read("password_file", .path, or: nil)
        let tokenFile = section.read("token_file", .path, or: nil)
        section.finish()

        guard let url else {
            section.refuse(
                "url", "is missing or wrong; give one of the URLs in go.upstreams or of a [[sumdb]]")
            return nil
        }
        if (user == nil) != (passwordFile == nil) {
            section.refuse(user == nil ? "password_file" : "user", "user and password_file go together")
        }
        if tokenFile != nil, passwordFile != nil {
            section.refuse("token_file", "give a token or a user and password, not both")
        }
        return UpstreamHostSettings(
            origin: url.origin, user: user, passwordFile: passwordFile, tokenFile: tokenFile)
    }

    /// Credentials for somebody who is never asked are a slip of the pen.
    func checkHosts(_ sections: [SectionReader]) {
        let origins = upstreamOrigins
        for (section, host) in zip(sections, go.hosts) where !origins.contains(host.origin) {
            let known = origins.map(\.description).sorted().joined(separator: ", ")
            section.refuse("url", "\"\(host.origin)\" is no upstream of this node; those are: \(known)")
        }
    }

    /// Everybody whom the node may ask for modules and their sums.
    package var upstreamOrigins: Set<UpstreamOrigin> {
        Set(go.upstreams.upstreams.map(\.base.origin) + sumdbs.map(\.url.origin))
    }

    /// No `[[sumdb]]` at all means the public database; those that are listed stand instead of it.
    mutating func readSumDBs(_ sections: [SectionReader]?) {
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
        let url = section.read("url", .url, or: nil)
        let patterns = section.read("patterns", .patterns, or: SumDBSettings.public.patterns)
        section.finish()

        guard !name.isEmpty else {
            section.refuse("name", "is missing; it is the first part of the database's key")
            return nil
        }
        guard !key.isEmpty else {
            section.refuse("key", "is missing; give the verifier key of \(name), <name>+<hash>+<base64>")
            return nil
        }
        guard let url = url ?? (try? UpstreamURL(parsing: "https://\(name)")) else {
            section.refuse("url", "is missing; the name alone is no host")
            return nil
        }
        let settings = SumDBSettings(name: name, key: key, url: url, patterns: patterns)
        do throws(SumDatabaseConfigurationError) {
            _ = try settings.database
        } catch {
            section.refuse("key", "\(error)")
            return nil
        }
        return settings
    }
}

extension SumDBSettings {
    /// The database as the front serves it.
    var database: SumDatabaseConfiguration {
        get throws(SumDatabaseConfigurationError) {
            try SumDatabaseConfiguration(key: key, name: name, url: "\(url)", patterns: patterns)
        }
    }
}

extension SettingKind where Value == UpstreamList {
    static var upstreams: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> UpstreamList in
            do throws(UpstreamListError) {
                return try UpstreamList(parsing: text)
            } catch {
                throw BadSetting(error.description)
            }

        }
    }
}

extension SettingKind where Value == ModulePatterns {
    /// Module patterns: globs as in GOPRIVATE, and `re:` with a regular expression.
    static var patterns: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> ModulePatterns in
            do throws(ModulePatternError) {
                return try ModulePatterns(texts)
            } catch {
                throw BadSetting("\(error); write a glob as in GOPRIVATE or \"re:<expression>\"")
            }
        }
    }
}

extension String {
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
