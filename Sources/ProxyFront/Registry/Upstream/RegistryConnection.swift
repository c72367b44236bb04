import ChunkStore
import Logging
import Synchronization

/// Everything the node knows of one registry that it asks: endpoints, logins, limits, which repositories are open
/// to anybody, and where blobs are.
final class RegistryConnection: Sendable {
    /// Where a registry answers.
    struct Endpoint: Sendable {
        let upstream: Upstream
        let authorizer: EndpointAuthorizer
    }

    /// An answer, and how it was come by.
    struct Reply: Sendable {
        var answer: UpstreamAnswer
        let access: AccessClass
        let endpoint: Endpoint
        let login: RegistryLogin?
    }

    /// How long it counts that a repository is open to anybody, or that it is not.
    private static let classFor = (public: Duration.seconds(300), private: Duration.seconds(600))

    let upstream: RegistryUpstream
    let endpoints: [Endpoint]
    let limits = RateLimitBook()
    let targets = RedirectTargets()
    let pool: UpstreamPool
    private let logins: RegistryLogins
    private let hash: KeyedHash
    private let classes = Mutex(ExpiringCache<RepositoryName, AccessClass>(limit: 8192))
    private let metrics: RegistryMetrics
    private let logger: Logger

    /// - Throws: `UpstreamClientError` naming a PEM file that cannot be used.
    init(
        _ upstream: RegistryUpstream, pool: UpstreamPool, tokens: TokenService, hash: KeyedHash,
        resolver: any HostResolver, metrics: RegistryMetrics, logger: Logger
    ) throws(UpstreamClientError) {
        self.upstream = upstream
        self.pool = pool
        self.hash = hash
        self.metrics = metrics
        self.logger = logger
        logins = RegistryLogins(upstream)
        endpoints = try upstream.places().map { place in
            Endpoint(
                upstream: place,
                authorizer: EndpointAuthorizer(
                    endpoint: place, trust: LoginTrust(upstream, resolver: resolver), tokens: tokens))
        }
    }

    func key(_ login: RegistryLogin?) -> LoginKey { LoginKey(login, hash: hash) }

    /// Nil = nobody in particular.
    func login(of identity: UpstreamIdentity) async throws(UpstreamFailure) -> RegistryLogin? {
        switch identity {
        case .anonymous: nil
        case .node: try await logins.own()
        case .client(let credential): upstream.passesCredentials ? RegistryLogin(credential) : nil
        }
    }

    // MARK: with which login

    /// Asks as anybody could, where that may do, and with the identity's login where it does not: what anybody can
    /// have is public, and nothing else is.
    /// - Parameter places: the endpoints to ask; all of them when nil.
    func reply(
        to ask: RegistryAsk, as identity: UpstreamIdentity, at places: [Endpoint]? = nil
    ) async throws(UpstreamFailure) -> Reply {
        let places = places ?? endpoints
        let login: RegistryLogin?
        do throws(UpstreamFailure) { login = try await self.login(of: identity) } catch {
            // A broken helper is no reason to withhold what is open to anybody.
            logger.warning("\(error)")
            login = nil
        }
        guard let login else { return try await openly(ask, at: places) }
        let known = classes.withLock { $0.value(for: ask.repository, now: .now) }
        guard known != .private else { return try await closed(ask, login, at: places) }
        do throws(UpstreamFailure) {
            // GETs of manifests count against a limit that is higher for those who log in, HEADs against none.
            guard ask.kind == .manifest, identity == .node else { return try await openly(ask, at: places) }
            if known == nil { try await openly(ask.head, at: places).answer.body.cancel() }
            do throws(UpstreamFailure) {
                let (answer, endpoint) = try await send(ask, login, at: places)
                return Reply(answer: answer, access: .public, endpoint: endpoint, login: login)
            } catch {
                guard error != .cancelled else { throw error }
                logger.notice("\(upstream.host) will not have the node's login: \(error)")
                return try await openly(ask, at: places)
            }
        } catch {
            guard error.isDenial || error.status == 429 else { throw error }
            let reply = try await closed(ask, login, at: places)
            if error.isDenial { note(.private, ask.repository) }
            return reply
        }
    }

    private func openly(_ ask: RegistryAsk, at places: [Endpoint]) async throws(UpstreamFailure) -> Reply {
        do throws(UpstreamFailure) {
            let (answer, endpoint) = try await send(ask, nil, at: places)
            note(.public, ask.repository)
            return Reply(answer: answer, access: .public, endpoint: endpoint, login: nil)
        } catch {
            if error.isDenial { classes.withLock { $0.remove(ask.repository) } }
            throw error
        }
    }

    private func closed(
        _ ask: RegistryAsk, _ login: RegistryLogin, at places: [Endpoint]
    ) async throws(UpstreamFailure) -> Reply {
        do throws(UpstreamFailure) {
            let (answer, endpoint) = try await send(ask, login, at: places)
            return Reply(answer: answer, access: .private, endpoint: endpoint, login: login)
        } catch {
            if error.status == 401 { logins.refused() }
            throw error
        }
    }

    private func note(_ access: AccessClass, _ repository: RepositoryName) {
        let span = access == .public ? Self.classFor.public : Self.classFor.private
        classes.withLock { $0.set(access, for: repository, until: .now + span) }
    }

    // MARK: at which endpoint

    /// The next endpoint is asked after any failure but a plain refusal.
    private func send(
        _ ask: RegistryAsk, _ login: RegistryLogin?, at places: [Endpoint]
    ) async throws(UpstreamFailure) -> (UpstreamAnswer, Endpoint) {
        var failure: UpstreamFailure?
        for endpoint in places {
            do throws(UpstreamFailure) {
                return (try await send(ask, login, to: endpoint), endpoint)
            } catch {
                if error.isDenial || error == .cancelled { throw error }
                failure = error
            }
        }
        throw failure ?? .unreachable(upstream: upstream.host.text, reason: "no endpoint is configured")
    }

    /// One endpoint, its challenges answered: a token that has died meanwhile costs one new one.
    func send(
        _ ask: RegistryAsk, _ login: RegistryLogin?, to endpoint: Endpoint
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        let key = key(login)
        try limits.check(ask.kind, key, at: endpoint.upstream.name)
        let bearer = EndpointAuthorizer.Bearer(login: login, key: key, scope: ask.scope)
        var permit = try await endpoint.authorizer.permit(for: bearer)
        var challenges = 0
        while true {
            var request = ask.request(at: endpoint.upstream.base)
            request.authorization = permit.authorization
            do throws(UpstreamFailure) {
                let answer = try await pool.get(request, from: endpoint.upstream)
                if answer.facts.landing == nil { noteLimit(answer.facts.rateLimit) }
                return answer
            } catch {
                guard case .refused(let refusal) = error else { throw error }
                noteLimit(refusal.rateLimit)
                limits.refused(
                    refusal, ask.kind, key, date: HTTPDate(seconds: StoreClock.system.milliseconds() / 1000))
                if refusal.status == 429 { metrics.limited.add() }
                challenges += 1
                guard refusal.status == 401, challenges <= 2,
                    let next = try await endpoint.authorizer.permit(after: refusal, of: permit, for: bearer)
                else { throw error }
                permit = next
            }
        }
    }

    private func noteLimit(_ limit: UpstreamRateLimit?) {
        guard let limit else { return }
        limits.note(limit)
        metrics.note(limit)
    }
}

extension UpstreamFailure {
    /// The status, when there was an answer.
    var status: Int? { if case .refused(let refusal) = self { refusal.status } else { nil } }

    /// The upstream knows who asks and what for, and will not give it, or says that there is none.
    var isDenial: Bool { [401, 403, 404, 410].contains(status) }
}

extension RegistryUpstream {
    /// The registry's endpoints, as they are asked. Reads the PEM files that it names, which blocks.
    /// - Throws: `UpstreamClientError` naming a PEM file that cannot be used.
    public func places() throws(UpstreamClientError) -> [Upstream] {
        var tls: UpstreamTLS?
        if !caFiles.isEmpty || clientCertificateFile != nil {
            tls = try UpstreamTLS(
                caFiles: caFiles, clientCertificateFile: clientCertificateFile, clientKeyFile: clientKeyFile)
        }
        return endpoints.map { Upstream(base: $0, probe: "/v2/", tls: tls) }
    }
}
