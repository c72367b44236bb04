import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// The way to the upstreams over HTTP/1.1, on AsyncHTTPClient.
///
/// It sends what changes nothing and a fixed handful of headers, follows redirects by hand under
/// `RedirectPolicy`, gives a credential or certificate to its own origin only, takes no content encoding, and bounds every wait and every body.
/// HTTP/2 is not used: its flow-control windows would cap a transfer over a long line.
public final class HTTPUpstreamClient: UpstreamTransport {
    public struct Configuration: Sendable {
        public var connectTimeout: Duration = .seconds(5)
        /// From the request to the answer's head. A module proxy may fetch from version control meanwhile.
        public var firstByteTimeout: Duration = .seconds(60)
        /// The longest wait for more of a body.
        public var stallTimeout: Duration = .seconds(30)
        /// Bytes that must arrive within each `stallTimeout` of waiting.
        public var minimumProgress = 1024
        public var redirects: RedirectPolicy
        public var credentials: UpstreamCredentials
        public var proxy: OutboundProxy?
        /// PEM files with certificate authorities that are trusted besides the system's.
        public var certificateAuthorities: [String] = []
        public var connectionsPerHost = 128
        public var userAgent = "edgenode"

        public init(redirects: RedirectPolicy, credentials: UpstreamCredentials = UpstreamCredentials()) {
            self.redirects = redirects
            self.credentials = credentials
        }
    }

    private let configuration: Configuration
    private let tls: TLSConfiguration
    private let group: any EventLoopGroup
    private let direct: HTTPClient
    private let proxied: HTTPClient?
    private let resolver: any HostResolver
    private let logger: Logger

    /// - Throws: `UpstreamClientError.certificateAuthority` when a PEM file cannot be used.
    public convenience init(
        _ configuration: Configuration, group: any EventLoopGroup, logger: Logger
    ) throws(UpstreamClientError) {
        try self.init(configuration, group: group, resolver: SystemHostResolver(), logger: logger)
    }

    package init(
        _ configuration: Configuration, group: any EventLoopGroup, resolver: any HostResolver, logger: Logger
    ) throws(UpstreamClientError) {
        var client = HTTPClient.Configuration()
        client.redirectConfiguration = .disallow
        client.decompression = .disabled
        client.httpVersion = .http1Only
        client.timeout = .init(connect: TimeAmount(configuration.connectTimeout), read: nil)
        client.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connectionsPerHost
        // A refused connection is an answer; asking again until the deadline would hide it.
        client.connectionPool.retryConnectionEstablishment = false
        tls = try Self.tls(configuration.certificateAuthorities)
        client.tlsConfiguration = tls
        direct = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: client)
        if let proxy = configuration.proxy {
            let authorization: HTTPClient.Authorization? =
                switch proxy.credential {
                case .basic(let user, let password): .basic(username: user, password: password)
                case .bearer(let token): .bearer(tokens: token)
                case nil: nil
                }
            client.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
            proxied = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: client)
        } else {
            proxied = nil
        }
        self.configuration = configuration
        self.group = group
        self.resolver = resolver
        self.logger = logger
    }

    /// What trusts the authorities in PEM files besides the system's.
    static func tls(_ files: [String]) throws(UpstreamClientError) -> TLSConfiguration {
        try UpstreamTLS(caFiles: files).extending(.makeClientConfiguration(), showsCertificate: false)
    }

    /// Closes every connection.
    public func shutdown() async throws {
        try await direct.shutdown()
        try await proxied?.shutdown()
    }

    public func get(_ request: UpstreamRequest) async throws(UpstreamFailure) -> UpstreamAnswer {
        let start = request.redirectedFrom ?? request.url.origin
        let deadline = NIODeadline.now() + TimeAmount(configuration.firstByteTimeout)
        var url = request.url
        if let origin = request.redirectedFrom { try await permit(url, from: origin, start: start) }
        var redirects = 0
        while true {
            let isOwn = url.origin == start
            let (response, authenticated) = try await send(request, to: url, isOwn: isOwn, deadline: deadline)
            guard let location = Self.redirectTarget(response, of: request) else {
                return try await answer(
                    request, url: url, response: response, authenticated: authenticated,
                    isRedirected: redirects > 0)
            }
            discard(response)
            redirects += 1
            guard redirects <= configuration.redirects.limit else {
                throw .unusable(upstream: start.authority, reason: "more than \(redirects - 1) redirects")
            }
            let target = try await permitted(location, from: url, start: start)
            logger.debug("\(url.origin) redirects to \(target.origin)")
            url = target
        }
    }

    private func send(
        _ request: UpstreamRequest, to url: UpstreamURL, isOwn: Bool, deadline: NIODeadline
    ) async throws(UpstreamFailure) -> (HTTPClientResponse, authenticated: Bool) {
        let (message, authenticated) = message(request, to: url, isOwn: isOwn)
        let client =
            if let proxied, configuration.proxy?.serves(url.origin) == true { proxied } else { direct }
        var isRepeated = false
        while true {
            do {
                return (try await client.execute(message, deadline: deadline), authenticated)
            } catch {
                // A server may end a connection at the very moment at which it is used again.
                if !isRepeated, error as? HTTPClientError == .remoteConnectionClosed {
                    isRepeated = true
                    continue
                }
                throw UpstreamFailure(
                    error, upstream: url.origin.authority, phase: .waiting, configuration: configuration)
            }
        }
    }

    private func message(
        _ request: UpstreamRequest, to url: UpstreamURL, isOwn: Bool
    ) -> (HTTPClientRequest, authenticated: Bool) {
        var message = HTTPClientRequest(url: url.description)
        message.headers.add(name: "User-Agent", value: configuration.userAgent)
        message.headers.add(name: "Accept-Encoding", value: "identity")
        if !request.accept.isEmpty {
            message.headers.add(name: "Accept", value: request.accept.joined(separator: ", "))
        }
        if let span = request.span {
            message.headers.add(
                name: "Range", value: "bytes=\(span.start)-" + (span.end.map { "\($0 - 1)" } ?? ""))
            if let validator = request.ifRange { message.headers.add(name: "If-Range", value: validator) }
        }
        switch request.method {
        case .get: break
        case .head: message.method = .HEAD
        case .form(let form):
            message.method = .POST
            message.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            message.body = .bytes(ByteBuffer(string: form))
        }
        let credential: UpstreamCredential? =
            switch request.authorization {
            case .configured: configuration.credentials.credential(for: url.origin)
            case .explicit(let credential) where isOwn: credential
            case .explicit, .none: nil
            }
        if let credential { message.headers.add(name: "Authorization", value: credential.authorization) }
        if let own = request.tls, url.origin.scheme == .https {
            message.tlsConfiguration = own.extending(tls, showsCertificate: isOwn)
        }
        return (message, credential != nil)
    }

    /// Reads the head of a final answer. Everything but 200 and 206 becomes a refusal with its body.
    private func answer(
        _ request: UpstreamRequest, url: UpstreamURL, response: HTTPClientResponse, authenticated: Bool,
        isRedirected: Bool
    ) async throws(UpstreamFailure) -> UpstreamAnswer {
        let upstream = url.origin.authority
        let isSuccess = response.status == .ok || response.status == .partialContent
        var facts: UpstreamFacts
        do throws(UpstreamFailure) {
            facts = try UpstreamFacts(response.headers, status: response.status.code, upstream: upstream)
            if isSuccess, let encoding = response.headers.first(name: "content-encoding"),
                encoding.lowercased() != "identity"
            {
                throw UpstreamFailure.unusable(
                    upstream: upstream, reason: "its body is encoded as \(encoding.prefix(40))")
            }
            if response.status == .partialContent, request.span == nil {
                throw UpstreamFailure.unusable(upstream: upstream, reason: "206 without a range asked for")
            }
            if isSuccess, request.method != .head, let length = facts.length, length > request.limit {
                throw UpstreamFailure.tooLong(upstream: upstream, limit: request.limit)
            }
        } catch {
            discard(response)
            throw error
        }
        facts.authenticated = authenticated
        if isRedirected { facts.landing = url }
        let body = pump(
            response, upstream: upstream, expected: request.method == .head ? nil : facts.length,
            total: isSuccess ? request.limit : Int64(UpstreamRefusal.bodyLimit))
        if isSuccess { return UpstreamAnswer(facts: facts, body: body) }
        throw .refused(
            UpstreamRefusal(
                upstream: upstream, status: Int(response.status.code), contentType: facts.contentType,
                retryAfter: response.headers.first(name: "retry-after").map { String($0.prefix(64)) },
                challenges: response.headers["www-authenticate"].prefix(8).map { String($0.prefix(2048)) },
                rateLimit: facts.rateLimit,
                body: await Self.errorBody(body)))
    }

    /// As much of an error body as comes; an error that breaks off is still that error.
    private static func errorBody(_ body: BodyHandover) async -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < UpstreamRefusal.bodyLimit, let part = try? await body.next() {
            bytes.append(contentsOf: part.readableBytesView.prefix(UpstreamRefusal.bodyLimit - bytes.count))
        }
        body.cancel()
        return bytes
    }

    private func pump(
        _ response: HTTPClientResponse, upstream: String, expected: Int64?, total: Int64
    ) -> BodyHandover {
        let configuration = configuration
        let handover = BodyHandover(
            upstream: upstream, expected: expected,
            limits: .init(
                stall: configuration.stallTimeout, minimumProgress: configuration.minimumProgress,
                total: total),
            eventLoop: group.next())
        // Weak: a body that its consumer has let go ends the transfer.
        handover.started(
            Task { [weak handover] in
                do {
                    for try await part in response.body where part.readableBytes > 0 {
                        guard let handover, await handover.offer(part) else { return }
                    }
                    handover?.finish(.success(()))
                } catch {
                    handover?.finish(
                        .failure(
                            UpstreamFailure(
                                error, upstream: upstream, phase: .receiving, configuration: configuration)))
                }
            })
        return handover
    }

    /// Ends a response whose body nobody wants: a body that is never iterated is cancelled when released.
    private func discard(_ response: HTTPClientResponse) {
        Task {
            var parts = response.body.makeAsyncIterator()
            // A short body is read so that its connection can be used again; a longer one is cut.
            for _ in 0..<4 {
                guard (try? await parts.next()) != nil else { return }
            }
        }
    }

    // MARK: redirects

    private static func redirectTarget(
        _ response: HTTPClientResponse, of request: UpstreamRequest
    ) -> String? {
        if case .form = request.method { return nil }
        return switch response.status.code {
        case 301, 302, 303, 307, 308: response.headers.first(name: "location")
        default: nil
        }
    }

    private func permitted(
        _ location: String, from url: UpstreamURL, start: UpstreamOrigin
    ) async throws(UpstreamFailure) -> UpstreamURL {
        let target: UpstreamURL
        do {
            target = try url.resolving(location: location)
        } catch {
            throw .unusable(
                upstream: start.authority, reason: "a redirect it sent cannot be followed: \(error)")
        }
        try await permit(target, from: url.origin, start: start)
        return target
    }

    private func permit(
        _ target: UpstreamURL, from origin: UpstreamOrigin, start: UpstreamOrigin
    ) async throws(UpstreamFailure) {
        switch configuration.redirects.verdict(from: origin, to: target.origin) {
        case .follow: return
        case .refuse(let reason):
            throw .unusable(upstream: start.authority, reason: "a redirect it sent is refused: \(reason)")
        case .followIfPublic:
            // Behind a proxy the names are the proxy's to resolve, and its rules decide.
            if configuration.proxy?.serves(target.origin) == true { return }
            let addresses = await resolver.addresses(of: target.origin.host)
            guard !addresses.isEmpty else {
                throw .unreachable(upstream: target.origin.authority, reason: "its name has no address")
            }
            guard addresses.allSatisfy(\.isPublic) else {
                throw .unusable(
                    upstream: start.authority,
                    reason: "a redirect it sent is refused: \(target.origin.host) is not a public address "
                        + "(redirect_hosts would permit it)")
            }
        }
    }
}
