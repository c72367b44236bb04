import Content
import ProxyFront

extension Configuration {
    private enum StatusFor: String, CaseIterable { case anyone, viewer }

    mutating func readAccess(_ section: SectionReader) {
        let span = Duration.zero...Self.decade
        access.credentialsFile = section.read("credentials_file", .path, or: nil)
        access.settings.showsStatusToAnyone =
            section.read("status", .choice, or: StatusFor.anyone) == .anyone
        access.settings.challenges = section.read("challenge", .flag, or: access.settings.challenges)
        access.settings.rememberFor = section.read(
            "remember_for", .duration(span), or: access.settings.rememberFor)
        access.proven.freshFor = section.read("proven_for", .duration(span), or: access.proven.freshFor)
        access.proven.grace = section.read("offline_grace", .duration(span), or: access.proven.grace)

        var names: Set<String> = []
        for table in section.list("user") {
            guard let user = readUser(table) else { continue }
            checkName(user.name, &names, table)
            access.settings.users.append(user)
        }
        for table in section.list("token") {
            guard let token = readToken(table) else { continue }
            checkName(token.name, &names, table)
            access.settings.tokens.append(token)
        }
        for table in section.list("rule") {
            guard let rule = readRule(table) else { continue }
            access.settings.rules.append(rule)
            // Whom the credentials file knows is seen when it is read.
            guard access.credentialsFile == nil else { continue }
            for stranger in AccessSettings.strangers(in: rule, among: access.settings) {
                table.refuse("who", "\(stranger)")
            }
        }
        section.finish()
    }

    private func checkName(_ name: String, _ names: inout Set<String>, _ section: SectionReader) {
        if !names.insert(name).inserted {
            section.refuse("name", "\"\(name)\" is listed twice; users and tokens have names of their own")
        }
    }

    private func readUser(_ section: SectionReader) -> AccessUser? {
        let name = section.read("name", .principalName, or: nil)
        let role = section.read("role", .role, or: .viewer)
        let hash = section.read("password_hash", .passwordHash, or: nil)
        section.finish()
        guard let name else { return missing("name", "give the user's name", section) }
        guard let hash else {
            return missing("password_hash", "make one with: edgenode password \(name)", section)
        }
        return AccessUser(name: name, role: role, password: hash)
    }

    private func readToken(_ section: SectionReader) -> AccessToken? {
        let name = section.read("name", .principalName, or: nil)
        let role = section.read("role", .role, or: .viewer)
        let digest = section.read("sha256", .sha256, or: nil)
        section.finish()
        guard let name else { return missing("name", "give the token a name", section) }
        guard let digest else {
            return missing("sha256", "make a token with: edgenode token \(name)", section)
        }
        return AccessToken(name: name, role: role, digest: digest)
    }

    private func readRule(_ section: SectionReader) -> AccessRule? {
        let content = section.read("content", .contentPatterns, or: [])
        let who = section.read("who", .principals, or: [])
        let grant = section.read("give", .optionalChoice(), or: AccessRule.Grant?.none)
        section.finish()
        if content.isEmpty {
            return missing("content", "write go/<pattern>, oci/<pattern> or * for everything", section)
        }
        if who.isEmpty {
            return missing(
                "who", "write \"anyone\", \"users\", \"role:<role>\", \"user:<name>\" or \"token:<name>\"",
                section)
        }
        guard let grant else { return missing("give", "write public, private or nothing", section) }
        return AccessRule(content, who, grant)
    }

    /// A key that must be there; a bad value was reported by its reading.
    private func missing<Value>(_ key: String, _ remedy: String, _ section: SectionReader) -> Value? {
        if !section.has(key) { section.refuse(key, "is missing; \(remedy)") }
        return nil
    }
}

extension AccessSettings {
    /// A name in a rule that nobody has.
    package struct Stranger: CustomStringConvertible {
        let who: String
        let known: [String]

        package var description: String {
            let hint = NearestWord.to(who, among: known).map { "; did you mean \"\($0)\"?" }
            return "there is no \"\(who)\"" + (hint ?? "; known here: \(known.joined(separator: ", "))")
        }
    }

    static func strangers(in rule: AccessRule, among settings: AccessSettings) -> [Stranger] {
        let known = settings.users.map { "user:\($0.name)" } + settings.tokens.map { "token:\($0.name)" }
        return rule.who.compactMap { who in
            let text: String
            switch who {
            case .user(let name): text = "user:\(name)"
            case .token(let name): text = "token:\(name)"
            case .anyone, .users, .role: return nil
            }
            return known.contains(text) ? nil : Stranger(who: text, known: known)
        }
    }
}

extension SettingKind where Value == String? {
    /// The name of a user or token.
    static var principalName: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> String? in
            guard PrincipalName.isValid(text) else { throw BadSetting(PrincipalName.complaint(text)) }
            return text
        }
    }
}

/// What users and tokens may be called: nothing that a Basic header or a line of the credentials file could not
/// carry.
package enum PrincipalName {
    package static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "._@+-".utf8.contains(byte)
                }
            }
    }

    package static func complaint(_ text: String) -> String {
        "\"\(text.prefix(100))\" is no name; use 1 to 64 letters, digits and any of . _ @ + -"
    }
}

extension SettingKind where Value == AccessRole {
    static var role: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> AccessRole in
            guard let role = AccessRole(name: text) else {
                let words = AccessRole.allCases.map { "\"\($0.name)\"" }
                throw BadSetting("\"\(text)\" is not one of \(words.joined(separator: ", "))")
            }
            return role
        }
    }
}

extension SettingKind where Value == PasswordHash? {
    static var passwordHash: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> PasswordHash? in
            do throws(PasswordHashError) {
                return try PasswordHash(parsing: text)
            } catch {
                throw BadSetting("cannot be used: \(error)")
            }
        }
    }
}

extension SettingKind where Value == Digest? {
    /// 64 hexadecimal digits.
    static var sha256: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> Digest? in
            guard let bytes = Hex.decode(text), let digest = try? Digest(.sha256, bytes: bytes) else {
                throw BadSetting("must be 64 hexadecimal digits; make a token with: edgenode token NAME")
            }
            return digest
        }
    }
}

extension SettingKind where Value == [ContentPattern] {
    static var contentPatterns: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [ContentPattern] in
            var patterns: [ContentPattern] = []
            for text in texts {
                do throws(ContentPatternError) { patterns.append(try ContentPattern(text)) } catch {
                    throw BadSetting("\(error)")
                }
            }
            guard !patterns.isEmpty else { throw BadSetting("must name at least one pattern") }
            return patterns
        }
    }
}

extension SettingKind where Value == [AccessRule.Who] {
    static var principals: SettingKind {
        SettingKind<[String]>.strings.map { (texts: [String]) throws(BadSetting) -> [AccessRule.Who] in
            var all: [AccessRule.Who] = []
            for text in texts {
                guard let who = AccessRule.Who(parsing: text) else {
                    throw BadSetting(
                        "\"\(text)\" is nobody; write \"anyone\", \"users\", \"role:operator\","
                            + " \"user:<name>\" or \"token:<name>\"")
                }
                all.append(who)
            }
            guard !all.isEmpty else { throw BadSetting("must name somebody") }
            return all
        }
    }
}
