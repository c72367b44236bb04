import Synchronization

/// Answers the challenges of one endpoint of a registry: with nothing, Basic, or a token of its token service.
final class EndpointAuthorizer: Sendable {
    /// What a request is sent with.
    struct Permit: Sendable {
        var authorization = UpstreamRequest.Authorization.none
        /// The token in it, when it is one, and its service.
        var token: TokenService.Token?
        var realm: BearerRealm?
    }

    /// For whom and what for.
    struct Bearer: Sendable {
        let login: RegistryLogin?
        let key: LoginKey
        /// `repository:library/nginx:pull`
        let scope: String
    }

    private struct State {
        var wantsBasic = false
        var realm: BearerRealm?
        /// What the endpoint named for a scope, where that is not what would be guessed.
        var named = ExpiringCache<String, BearerRealm>(limit: 1024)
    }

    private let endpoint: Upstream
    private let trust: LoginTrust
    private let tokens: TokenService
    private let state = Mutex(State())

    init(endpoint: Upstream, trust: LoginTrust, tokens: TokenService) {
        self.endpoint = endpoint
        self.trust = trust
        self.tokens = tokens
    }

    /// What to send at first, by the challenges that were met before: a round trip is spared.
    func permit(for bearer: Bearer) async throws(UpstreamFailure) -> Permit {
        if case .bearer(let token) = bearer.login { return try await own(.bearer(token: token)) }
        let (wantsBasic, realm) = state.withLock { state in
            let named = state.named.value(for: bearer.scope, now: .now)
            return (state.wantsBasic, named ?? state.realm?.asking(for: bearer.scope))
        }
        if let realm { return try await permit(realm, for: bearer) }
        if wantsBasic, case .password(let user, let password) = bearer.login {
            return try await own(.basic(user: user, password: password))
        }
        return Permit()
    }

    /// What to send after a 401; nil when there is nothing better.
    func permit(
        after refusal: UpstreamRefusal, of used: Permit, for bearer: Bearer
    ) async throws(UpstreamFailure) -> Permit? {
        let challenges = AuthChallenge.parse(refusal.challenges)
        if let challenge = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil })
        {
            if case .bearer = bearer.login { return nil }
            let realm = try BearerRealm(challenge, of: endpoint.name, scope: bearer.scope)
            if let token = used.token, let usedRealm = used.realm {
                tokens.drop(token.text, of: usedRealm, for: bearer.key)
                // Fresh, for what was asked for, and refused all the same.
                if !token.isKept, usedRealm == realm { return nil }
            }
            state.withLock { state in
                state.wantsBasic = false
                state.realm = realm
                if realm.scopes != [bearer.scope] {
                    state.named.set(realm, for: bearer.scope, until: .now + .seconds(3600))
                } else {
                    state.named.remove(bearer.scope)
                }
            }
            return try await permit(realm, for: bearer)
        }
        guard challenges.contains(where: { $0.scheme == "basic" }),
            case .password(let user, let password) = bearer.login
        else { return nil }
        state.withLock { state in
            state.wantsBasic = true
            state.realm = nil
        }
        let credential = UpstreamCredential.basic(user: user, password: password)
        if used.authorization == .explicit(credential) { return nil }
        return try await own(credential)
    }

    private func permit(_ realm: BearerRealm, for bearer: Bearer) async throws(UpstreamFailure) -> Permit {
        let objection = await trust.objection(to: realm.url)
        if bearer.login != nil, let objection {
            throw .unusable(
                upstream: endpoint.name, reason: "no login is sent to its token service: \(objection)")
        }
        let token = try await tokens.token(
            realm, login: bearer.login, key: bearer.key, registry: endpoint.base.origin,
            isTrusted: objection == nil, tls: objection == nil ? endpoint.tls : nil)
        return Permit(
            authorization: .explicit(.bearer(token: token.text)), token: token, realm: realm)
    }

    /// A login that the registry itself is shown.
    private func own(_ credential: UpstreamCredential) async throws(UpstreamFailure) -> Permit {
        if let objection = await trust.objection(to: endpoint.base) {
            throw .unusable(upstream: endpoint.name, reason: "no login is sent to it: \(objection)")
        }
        return Permit(authorization: .explicit(credential))
    }
}
