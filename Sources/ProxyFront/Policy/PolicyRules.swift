public import Logging
public import NIOCore
import Synchronization

/// The node's policy (docs/policy.md): the first rule that covers a subject decides; what none covers is
/// allowed.
public final class PolicyRules: PolicyControl {
    private struct Question: Hashable {
        let webhook: PolicyWebhook
        let subject: PolicySubject
    }

    /// Verdicts of webhooks that are remembered.
    private static let remembered = 16_384
    /// Questions under way at most; further ones get no usable answer.
    private static let questionsAtMost = 256
    /// How long a webhook that failed is not asked again about the same subject.
    private static let failureCounts: Duration = .seconds(10)

    private let rules: [PolicyRule]
    private let client: PolicyWebhookClient?
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let verdicts = Mutex(ExpiringCache<Question, PolicyVerdict>(limit: PolicyRules.remembered))
    private let questions = SingleFlight<Question, PolicyVerdict>()

    /// - Parameter certificateAuthorities: PEM files of authorities that webhooks may use besides the system's.
    /// - Throws: `UpstreamClientError` when one of the files cannot be used.
    public convenience init(
        _ rules: [PolicyRule], group: any EventLoopGroup, certificateAuthorities: [String] = [],
        logger: Logger
    ) throws(UpstreamClientError) {
        try self.init(
            rules, group: group, certificateAuthorities: certificateAuthorities, logger: logger, now: { .now }
        )
    }

    package init(
        _ rules: [PolicyRule], group: any EventLoopGroup, certificateAuthorities: [String] = [],
        logger: Logger, now: @escaping @Sendable () -> ContinuousClock.Instant
    ) throws(UpstreamClientError) {
        self.rules = rules
        self.logger = logger
        self.now = now
        let asks = rules.contains { if case .ask = $0.action { true } else { false } }
        client =
            asks
            ? try PolicyWebhookClient(group: group, certificateAuthorities: certificateAuthorities) : nil
    }

    /// Closes the connections to webhooks.
    public func shutdown() async throws { try await client?.shutdown() }

    public func verdict(on subject: PolicySubject) -> PolicyAnswer {
        guard let rule = rules.first(where: { $0.match.covers(subject) }) else { return .now(.allow) }
        switch rule.action {
        case .allow: return .now(.allow)
        case .deny(let reason): return .now(.deny(reason: reason))
        case .ask(let webhook):
            let question = Question(webhook: webhook, subject: subject)
            if let known = known(question) { return .now(known) }
            return .later { await self.ask(question) }
        }
    }

    private func known(_ question: Question) -> PolicyVerdict? {
        let now = now()
        return verdicts.withLock { $0.value(for: question, now: now) }
    }

    private func ask(_ question: Question) async -> PolicyVerdict {
        guard questions.count < Self.questionsAtMost else {
            return failed(question.webhook, PolicyWebhookFailure("too many questions wait for it"))
        }
        do {
            return try await questions.run(question) { await self.answer(to: question) }.0
        } catch {
            // The client has gone away: whatever is said, nobody hears it.
            return .deny(reason: "the request was given up")
        }
    }

    private func answer(to question: Question) async -> PolicyVerdict {
        // Somebody may have been told between this request's look and this question's start.
        if let known = known(question) { return known }
        guard let client else { preconditionFailure("whoever asks has a client") }
        let verdict: PolicyVerdict
        let counts: Duration
        do throws(PolicyWebhookFailure) {
            verdict = try await client.ask(question.webhook, about: question.subject)
            counts = question.webhook.cacheFor
        } catch {
            verdict = failed(question.webhook, error)
            counts = min(Self.failureCounts, question.webhook.cacheFor)
        }
        let until = now() + counts
        verdicts.withLock { $0.set(verdict, for: question, until: until) }
        return verdict
    }

    private func failed(_ webhook: PolicyWebhook, _ failure: PolicyWebhookFailure) -> PolicyVerdict {
        let origin = webhook.url.origin
        logger.warning(
            "a policy webhook gave no usable answer",
            metadata: [
                "webhook": "\(origin)", "reason": "\(failure)",
                "verdict": "\(webhook.allowsOnFailure ? "allow" : "deny")",
            ])
        if webhook.allowsOnFailure { return .allow }
        return .deny(reason: "the policy service at \(origin.authority) gave no usable answer: \(failure)")
    }
}
