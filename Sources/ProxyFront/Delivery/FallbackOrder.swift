/// Something that can be asked, in a list with GOPROXY's separators.
package struct Fallback<Member: Sendable>: Sendable {
    package let member: Member
    /// The next member is asked after any failure (`|`), not only after "not found" (`,`).
    package let onAnyFailure: Bool

    package init(_ member: Member, onAnyFailure: Bool = false) {
        self.member = member
        self.onAnyFailure = onAnyFailure
    }
}

extension Array {
    /// Asks in order until one succeeds.
    /// - Returns: what it gave, and its index.
    /// - Throws: the failure that tells a client the most: one that is no 404 or 410 before one that is, so
    ///   that "not found" is said only when every upstream that was asked said so; later before earlier.
    package func firstSuccess<Member, Success>(
        _ ask: (Member) async throws(UpstreamFailure) -> Success
    ) async throws(UpstreamFailure) -> (Success, index: Int) where Element == Fallback<Member> {
        var best: UpstreamFailure?
        for (index, entry) in enumerated() {
            do {
                return (try await ask(entry.member), index)
            } catch {
                let missing = error.isNotFound
                if best == nil || !missing || best?.isNotFound == true { best = error }
                if error == .cancelled || !missing && !entry.onAnyFailure { break }
            }
        }
        throw best ?? .unreachable(upstream: "upstream", reason: "none is configured")
    }
}
