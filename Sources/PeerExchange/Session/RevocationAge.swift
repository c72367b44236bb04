package import Logging
internal import Synchronization

/// Whether this node knows of revocations recently enough to trust others with what a revoked one must not have or say:
/// private content, and names that may change (architecture section 7, `revocation_max_age`).
package final class RevocationAge: Sendable {
    private let limit: Duration?
    private let age: @Sendable () -> Duration?
    private let wasRecent = Mutex(true)
    private let logger: Logger

    /// - Parameters:
    ///   - limit: the oldest list that will do; nil = any, or none.
    ///   - age: since the newest list known was signed; nil = there is none.
    package init(limit: Duration?, age: @escaping @Sendable () -> Duration?, logger: Logger) {
        (self.limit, self.age, self.logger) = (limit, age, logger)
    }

    /// Says so in the log when it changes.
    package var isRecent: Bool {
        guard let limit else { return true }
        let age = age()
        let isRecent = age.map { $0 <= limit } ?? false
        let isNews = wasRecent.withLock { was in
            defer { was = isRecent }
            return was != isRecent
        }
        guard isNews else { return isRecent }
        if isRecent {
            logger.notice("the revocation list is recent again")
        } else {
            let found = age.map { "is \($0 / .seconds(86_400)) days old" } ?? "is missing"
            logger.error(
                """
                the revocation list \(found), which is more than cluster.revocation_max_age allows: private content and \
                names that may change are neither given to other nodes nor taken from them; sign a new list with \
                `edgenode cluster revoke --renew`
                """)
        }
        return isRecent
    }
}
