import Synchronization

/// Fetches access tokens and keeps them while they are good: one request for everybody who needs the same one.
final class TokenService: Sendable {
    /// A token and where it came from.
    struct Token: Sendable, Equatable {
        let text: String
        /// It was kept from before: a registry that refuses it gets a new one.
        var isKept: Bool
    }

    private struct Key: Hashable {
        let realm: BearerRealm
        let login: LoginKey
    }

    private struct State {
        var tokens = ExpiringCache<Key, String>(limit: 4096)
        var realms: Set<UpstreamURL> = []
    }

    /// Token services that are dealt with at most; a registry that keeps naming others is not believed.
    private static let realmsAtMost = 64

    private let pool: UpstreamPool
    private let flights = SingleFlight<Key, Result<String, UpstreamFailure>>()
    private let state = Mutex(State())

    init(pool: UpstreamPool) { self.pool = pool }

    /// A token that is at hand.
    func kept(_ realm: BearerRealm, for login: LoginKey) -> Token? {
        state.withLock { $0.tokens.value(for: Key(realm: realm, login: login), now: .now) }
            .map { Token(text: $0, isKept: true) }
    }

    /// Forgets a token that a registry refused.
    func drop(_ token: String, of realm: BearerRealm, for login: LoginKey) {
        let key = Key(realm: realm, login: login)
        state.withLock { state in
            if state.tokens.value(for: key, now: .now) == token { state.tokens.remove(key) }
        }
    }

    /// Asks for a token unless one is at hand.
    /// - Parameters:
    ///   - registry: who named the realm.
    ///   - isTrusted: the realm belongs to the registry. Another one is held against the rules for redirects, for
    ///     nobody vouches for an address that a registry names.
    ///   - tls: what the registry's own TLS is extended by.
    func token(
        _ realm: BearerRealm, login: RegistryLogin?, key loginKey: LoginKey, registry: UpstreamOrigin,
        isTrusted: Bool, tls: UpstreamTLS?
    ) async throws(UpstreamFailure) -> Token {
        if let kept = kept(realm, for: loginKey) { return kept }
        let key = Key(realm: realm, login: loginKey)
        guard isKnown(realm.url) else {
            throw .unusable(
                upstream: registry.authority,
                reason: "it names more than \(Self.realmsAtMost) token services")
        }
        let answer: Result<String, UpstreamFailure>
        do {
            (answer, _) = try await flights.run(key) {
                await self.fetch(key, login: login, foreignTo: isTrusted ? nil : registry, tls: tls)
            }
        } catch {
            throw .cancelled
        }
        return Token(text: try answer.get(), isKept: false)
    }

    private func isKnown(_ realm: UpstreamURL) -> Bool {
        state.withLock { state in
            if state.realms.contains(realm) { return true }
            guard state.realms.count < Self.realmsAtMost else { return false }
            state.realms.insert(realm)
            return true
        }
    }

    private func fetch(
        _ key: Key, login: RegistryLogin?, foreignTo registry: UpstreamOrigin?, tls: UpstreamTLS?
    ) async -> Result<String, UpstreamFailure> {
        let realm = key.realm
        precondition(registry == nil || login == nil, "a login goes to trusted realms only")
        let service = Upstream(base: UpstreamURL(origin: realm.url.origin, path: realm.url.path), tls: tls)
        var request = UpstreamRequest(
            realm.question, limit: TokenAnswer.limit, accept: ["application/json"], authorization: .none)
        switch login {
        case .password(let user, let password):
            request.authorization = .explicit(.basic(user: user, password: password))
        case .identityToken(let token):
            request.url = UpstreamURL(origin: realm.url.origin, path: realm.url.path)
            request.method = .form(realm.form(refreshing: token))
        case .bearer, nil: break
        }
        request.redirectedFrom = registry
        let start = ContinuousClock.now
        do {
            let bytes = try await pool.whole(request, from: service).bytes
            guard let answer = TokenAnswer(bytes) else {
                throw UpstreamFailure.unusable(upstream: service.name, reason: "there is no token in it")
            }
            state.withLock { state in
                state.tokens.set(answer.token, for: key, until: start + answer.usableFor)
            }
            return .success(answer.token)
        } catch let failure as UpstreamFailure {
            return .failure(Self.meaning(of: failure))
        } catch {
            return .failure(.cancelled)
        }
    }

    /// A service's 404 says nothing about images, nor its 400: only that it refused.
    private static func meaning(of failure: UpstreamFailure) -> UpstreamFailure {
        guard case .refused(let refusal) = failure, (400..<500).contains(refusal.status) else {
            return failure
        }
        switch refusal.status {
        case 401, 403, 429: return failure
        default:
            return .unusable(
                upstream: refusal.upstream, reason: "it gave no token, but the status \(refusal.status)")
        }
    }
}
