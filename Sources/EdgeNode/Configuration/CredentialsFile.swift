import Content
import ProxyFront

/// Users and tokens, one a line: name, role and `$argon2id$...` for a user or `sha256:<hex>` for a token, with
/// spaces between. What `edgenode password` and `edgenode token` write. Lines that begin with `#` are comments.
package struct CredentialsFile: Sendable, Equatable {
    package var users: [AccessUser] = []
    package var tokens: [AccessToken] = []

    package init() {}

    /// - Throws: `CredentialsFileError` with the line, which is not repeated.
    package init(parsing text: String) throws(CredentialsFileError) {
        var names: Set<String> = []
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let name = words.first, !name.hasPrefix("#") else { continue }
            do throws(BadSetting) {
                guard words.count == 3 else {
                    throw BadSetting("must be a name, a role and a hash, with spaces between")
                }
                guard PrincipalName.isValid(name) else { throw BadSetting(PrincipalName.complaint(name)) }
                guard names.insert(name).inserted else { throw BadSetting("\"\(name)\" stands here twice") }
                let role = try SettingKind.role.read(.string(words[1]))
                try add(name, role, words[2])
            } catch {
                throw CredentialsFileError(line: index + 1, reason: error.message)
            }
        }
    }

    private mutating func add(_ name: String, _ role: AccessRole, _ secret: String) throws(BadSetting) {
        if secret.hasPrefix("sha256:") {
            guard let digest = try SettingKind.sha256.read(.string(String(secret.dropFirst(7)))) else {
                return
            }
            tokens.append(AccessToken(name: name, role: role, digest: digest))
        } else if secret.hasPrefix("$") {
            guard let hash = try SettingKind.passwordHash.read(.string(secret)) else { return }
            users.append(AccessUser(name: name, role: role, password: hash))
        } else {
            // It may be a password or a token as it is: not a character of it is shown.
            throw BadSetting(
                "its third word is no hash; take the line that edgenode password or edgenode token writes")
        }
    }
}

package struct CredentialsFileError: Error, Equatable, CustomStringConvertible {
    package let line: Int
    package let reason: String

    package var description: String { "line \(line): \(reason)" }
}
