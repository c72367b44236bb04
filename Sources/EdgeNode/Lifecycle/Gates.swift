import NIOPosix
import ProxyFront

/// Who may have what, and what may be served at all.
struct Gates: Sendable {
    let access: AccessRules
    let policy: PolicyRules
    /// Which credentials of others opened which repository upstream.
    let proven: ProvenCredentials

    /// - Parameter commandSecret: what the node's own commands prove themselves with.
    /// - Throws: `CommandFailure` with the remedy; nothing is left open then.
    init(
        _ configuration: Configuration, secrets: NodeSecrets, commandSecret: String, output: LogOutput
    ) throws(CommandFailure) {
        do {
            policy = try PolicyRules(
                secrets.policy, group: MultiThreadedEventLoopGroup.singleton,
                certificateAuthorities: configuration.upstream.caFiles, logger: output.logger("policy"))
        } catch {
            throw CommandFailure(.configuration, "upstream.ca_files: \(error)")
        }
        do {
            access = try AccessRules(
                secrets.access, commandSecret: commandSecret, logger: output.logger("access"))
        } catch {
            throw CommandFailure(.unavailable, "passwords cannot be checked: \(error)")
        }
        proven = ProvenCredentials(configuration.access.proven)
        if !configuration.go.private.isEmpty, !secrets.access.rules.contains(where: { $0.grant == .private })
        {
            output.logger("access").warning(
                "go.private names modules, but no [[access.rule]] gives private content to anybody: see docs/access.md"
            )
        }
    }

    /// Ends the thread that checks passwords and closes the connections to webhooks.
    func close() async {
        try? await policy.shutdown()
        await access.stop()
    }
}
