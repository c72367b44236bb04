import Synchronization

/// What a registry permits still, by login: nothing is sent before the time that a 429 names.
package final class RateLimitBook: Sendable {
    private struct Key: Hashable {
        let login: LoginKey
        let kind: RegistryAsk.Kind
    }

    private struct State {
        var rests = ExpiringCache<Key, ContinuousClock.Instant>(limit: 4096)
        var latest: UpstreamRateLimit?
    }

    /// How long a 429 rests without a word of its own, and the longest that is believed: a registry that says
    /// "tomorrow" is asked again within the hour.
    static let rest = (usual: Duration.seconds(60), longest: Duration.seconds(3600))

    private let state = Mutex(State())

    /// - Throws: `.refused` with 429 and the seconds left, while requests of this kind rest.
    func check(_ kind: RegistryAsk.Kind, _ login: LoginKey, at upstream: String) throws(UpstreamFailure) {
        guard let left = left(kind, login) else { return }
        throw .refused(
            UpstreamRefusal(
                upstream: upstream, status: 429, retryAfter: String(max(1, left.components.seconds + 1))))
    }

    /// How long requests of this kind rest still; nil when they need not.
    func left(_ kind: RegistryAsk.Kind, _ login: LoginKey) -> Duration? {
        let now = ContinuousClock.now
        let until = state.withLock { $0.rests.value(for: Key(login: login, kind: kind), now: now) }
        return until.map { $0 - now }
    }

    /// What the registry told last.
    var latest: UpstreamRateLimit? { state.withLock { $0.latest } }

    func note(_ limit: UpstreamRateLimit) { state.withLock { $0.latest = limit } }

    func refused(_ refusal: UpstreamRefusal, _ kind: RegistryAsk.Kind, _ login: LoginKey, date: HTTPDate) {
        guard refusal.status == 429 else { return }
        let told = Self.span(refusal.retryAfter, date: date) ?? Self.rest.usual
        let until = ContinuousClock.now + min(max(told, .seconds(1)), Self.rest.longest)
        state.withLock { $0.rests.set(until, for: Key(login: login, kind: kind), until: until) }
    }

    /// `Retry-After`: seconds or a date (RFC 9110, section 10.2.3).
    package static func span(_ text: String?, date: HTTPDate) -> Duration? {
        guard let text else { return nil }
        if let seconds = Int64(text) { return seconds >= 0 ? .seconds(min(seconds, 1 << 32)) : nil }
        return HTTPDate(text).map { .seconds($0.seconds - date.seconds) }
    }
}
