import ProxyFront

extension NodeSecrets {
    /// The access rules with the users and tokens of the credentials file.
    /// - Throws: `CommandFailure` naming the file, the line and what to do.
    static func access(for configuration: Configuration) throws(CommandFailure) -> AccessSettings {
        var settings = configuration.access.settings
        guard let path = configuration.access.credentialsFile else { return settings }
        let key = "access.credentials_file"
        let text = try text(of: path, key: key)
        let file: CredentialsFile
        do throws(CredentialsFileError) {
            file = try CredentialsFile(parsing: text)
        } catch {
            throw CommandFailure(.configuration, "\(key): \(path): \(error)")
        }
        let here = Set(settings.users.map(\.name) + settings.tokens.map(\.name))
        for name in file.users.map(\.name) + file.tokens.map(\.name) where here.contains(name) {
            throw CommandFailure(
                .configuration, "\(key): \(path): \"\(name)\" stands in the configuration too; remove one")
        }
        settings.users += file.users
        settings.tokens += file.tokens
        for (index, rule) in settings.rules.enumerated() {
            for stranger in AccessSettings.strangers(in: rule, among: settings) {
                throw CommandFailure(.configuration, "access.rule \(index + 1): who: \(stranger)")
            }
        }
        return settings
    }

    /// The policy, its webhooks having the tokens from their files.
    /// - Throws: `CommandFailure` naming the file and what to do.
    static func policy(for configuration: Configuration) throws(CommandFailure) -> [PolicyRule] {
        var rules: [PolicyRule] = []
        for entry in configuration.policy {
            var rule = entry.rule
            if case .ask(var webhook) = rule.action, let file = entry.tokenFile {
                webhook.token = try line(of: file, key: "policy.token_file")
                rule.action = .ask(webhook)
            }
            rules.append(rule)
        }
        return rules
    }
}
