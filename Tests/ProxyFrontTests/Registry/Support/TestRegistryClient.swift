import Content
import Logging
import NIOPosix
import ProxyFront

/// A registry client over real connections.
struct TestRegistryClient: Sendable {
    let client: RegistryClient
    let metrics: Metrics

    /// - Parameters:
    ///   - endpoints: of the one registry, `registry.test`.
    ///   - permitted: other servers that redirects may lead to.
    static func running<Result>(
        _ endpoints: [String], permitted: [String] = [], breaker: CircuitBreaker.Configuration = .init(),
        registry: (inout RegistryUpstream) throws -> Void = { _ in },
        _ body: (TestRegistryClient) async throws -> Result
    ) async throws -> Result {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let urls = try endpoints.map { try UpstreamURL(parsing: $0) }
        var origins = Set(urls.map(\.origin))
        for text in permitted { origins.insert(try UpstreamURL(parsing: text).origin) }
        var configuration = HTTPUpstreamClient.Configuration(redirects: RedirectPolicy(configured: origins))
        configuration.connectTimeout = .seconds(20)
        configuration.firstByteTimeout = .seconds(20)
        configuration.stallTimeout = .seconds(20)
        let transport = try HTTPUpstreamClient(
            configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        let metrics = Metrics()
        var upstream = RegistryUpstream(host: try RegistryHost("registry.test"), endpoints: urls)
        try registry(&upstream)
        do {
            let client = try RegistryClient(
                [upstream],
                pool: UpstreamPool(transport: transport, breaker: breaker, metrics: metrics, logger: logger),
                metrics: metrics, logger: logger)
            let result = try await body(TestRegistryClient(client: client, metrics: metrics))
            try await transport.shutdown()
            return result
        } catch {
            try? await transport.shutdown()
            throw error
        }
    }

    func repository(_ name: String) throws -> Repository {
        try Repository(try RegistryHost("registry.test"), try RepositoryName(name))
    }

    func head(
        _ name: String, _ reference: String = "latest", as identity: UpstreamIdentity = .anonymous
    ) async throws -> ManifestFacts {
        try await client.head(
            try ManifestReference(parsing: reference), of: repository(name), accept: [], as: identity)
    }

    func manifest(
        _ name: String, _ reference: String = "latest", as identity: UpstreamIdentity = .anonymous
    ) async throws -> (facts: ManifestFacts, bytes: [UInt8]) {
        try await client.manifest(
            try ManifestReference(parsing: reference), of: repository(name), accept: [], as: identity)
    }

    func blob(
        _ name: String, _ digest: Digest, from offset: Int64 = 0, to end: Int64? = nil,
        as identity: UpstreamIdentity = .anonymous
    ) async throws -> (facts: UpstreamFacts, bytes: [UInt8]) {
        let source = client.blob(digest, of: try repository(name), as: identity)[0]
        let answer = try await source.open(from: offset, to: end, validator: nil)
        var bytes: [UInt8] = []
        while let part = try await answer.body.next() { bytes += part.readableBytesView }
        return (answer.facts, bytes)
    }
}

/// What a call that must fail threw.
func failure<Value>(_ body: () async throws -> Value) async -> UpstreamFailure? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? UpstreamFailure
    }
}
