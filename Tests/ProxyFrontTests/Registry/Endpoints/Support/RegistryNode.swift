import ChunkStore
import Content
import Foundation
import Logging
import ProxyFront
import Synchronization

/// A node's registry front without its HTTP server, over a store in a folder of its own and a registry in memory.
struct RegistryNode: Sendable {
    struct Settings {
        var upstreams: [RegistryUpstream] = []
        var access: any AccessControl = ScriptedAccess()
        var policy: any PolicyControl = NoPolicy()
        var transfer = TransferPolicy()
        var store: @Sendable (inout ChunkStore.Configuration) -> Void = { _ in }
        var proven = ProvenCredentials.Configuration()
        /// A folder to keep; nil = one that is removed afterwards.
        var directory: String?
        /// The way to the other nodes.
        var peers: (@Sendable (ChunkStore) -> any PeerReach)?

        /// Docker Hub, another registry, and one on a port of its own, with changes.
        static func with(_ change: (inout Settings) throws -> Void = { _ in }) throws -> Settings {
            var settings = Settings()
            settings.upstreams = [
                try upstream("docker.io", aliases: ["index.docker.io"], library: true),
                try upstream("quay.io"), try upstream("localhost:5000"),
            ]
            settings.transfer.retryPauses = [.milliseconds(1), .milliseconds(1)]
            try change(&settings)
            return settings
        }
    }

    let store: ChunkStore
    let delivery: Delivery
    let responder: RegistryResponder
    let metrics: Metrics
    let clock: TestClock
    let audit: RecordingAudit

    static func upstream(
        _ host: String, aliases: [String] = [], library: Bool = false
    ) throws -> RegistryUpstream {
        var upstream = RegistryUpstream(
            host: try RegistryHost(host), endpoints: [try UpstreamURL(parsing: "https://\(host)")])
        upstream.aliases = try aliases.map { try RegistryHost($0) }
        upstream.addsLibrary = library
        return upstream
    }

    /// Runs a node until the body returns.
    static func running<Result>(
        _ registry: StandInRegistry, _ settings: Settings? = nil,
        _ body: (RegistryNode) async throws -> Result
    ) async throws -> Result {
        let settings = try settings ?? .with()
        let directory = settings.directory ?? TestNode.temporaryDirectory()
        defer { if settings.directory == nil { TestNode.remove(directory) } }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = TestClock()
        var configuration = ChunkStore.Configuration(directory: directory)
        settings.store(&configuration)
        let store = try await ChunkStore.open(configuration, clock: clock.storeClock, logger: logger)
        let metrics = Metrics()
        let audit = RecordingAudit()
        let delivery = Delivery(
            store: store, policy: settings.transfer, clock: clock.storeClock, metrics: metrics, audit: audit,
            peers: settings.peers?(store), logger: logger)
        var front = RegistryFrontSettings()
        front.retryPauses = [.milliseconds(1)]
        let node = RegistryNode(
            store: store, delivery: delivery,
            responder: RegistryResponder(
                directory: try RegistryDirectory(settings.upstreams, defaultHost: .dockerHub),
                source: registry, delivery: delivery, access: settings.access, policy: settings.policy,
                proven: ProvenCredentials(settings.proven), settings: front, metrics: metrics, audit: audit,
                logger: logger),
            metrics: metrics, clock: clock, audit: audit)
        do {
            let result = try await body(node)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    /// Asks as a client does. The answer is what the server makes of it: conditions, ranges and HEAD included.
    func ask(
        _ path: String, _ method: HTTPMethod = .get, headers: Headers = [:]
    ) async -> Got {
        await Got.reading(await response(path, method, headers: headers).0)
    }

    /// The response itself, and whether it came without waiting.
    func response(
        _ path: String, _ method: HTTPMethod = .get, headers: Headers = [:]
    ) async -> (Response, isNow: Bool) {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let request = Request(
            method: method, target: parts[0], query: parts.count > 1 ? parts[1] : nil, headers: headers,
            isLoopback: true)
        return switch responder.respond(to: request) {
        case .now(let response): (response, true)
        case .later(let make): (await make(), false)
        }
    }

    /// Pulls an image as containerd does: the tag, then everything it lists by digest.
    func pull(_ name: String, _ tag: String, _ image: TestImage, headers: Headers = [:]) async throws {
        var got = await ask("/v2/\(name)/manifests/\(tag)", headers: headers)
        guard got.status == 200, got.body == image.manifest else { throw PullFailed(what: got.text) }
        for bytes in image.layers + [image.config] {
            got = await ask(
                "/v2/\(name)/blobs/\(Digest(image.digest.algorithm, of: bytes))", headers: headers)
            guard got.status == 200, got.body == bytes, got.isComplete else {
                throw PullFailed(what: got.text)
            }
        }
        try await waitUntilQuiet()
    }

    struct PullFailed: Error { let what: String }

    /// Waits until nothing is in flight.
    func waitUntilQuiet() async throws {
        try await waitUntil { delivery.inFlight.isEmpty }
    }

    func waitUntilHeld(_ name: String) async throws {
        try await waitUntil { try await store.reference(try ReferenceName(name)) != nil }
    }
}

extension Got {
    /// The code of the first error of the specification's form.
    var code: String? {
        struct Wire: Decodable {
            struct Entry: Decodable {
                let code: String
                let message: String
            }
            let errors: [Entry]
        }
        return (try? JSONDecoder().decode(Wire.self, from: Data(body)))?.errors.first?.code
    }
}

/// Lets everybody in; what the client sent is taken for a user of the node when it is one, else for a credential of
/// the registry's.
struct ScriptedAccess: AccessControl {
    /// Users whom the rules give private content.
    var insiders: Set<String> = []
    /// Repositories that nobody may reach.
    var forbidden: Set<String> = []
    var isSlow = false

    func admit(_ request: Request, to resource: AccessResource) -> AccessAnswer {
        let result = verdict(request, resource)
        return isSlow ? .later { result } : .now(result)
    }

    private func verdict(
        _ request: Request, _ resource: AccessResource
    ) -> Result<Admission, AccessRefusal> {
        if case .repository(let repository) = resource, forbidden.contains("\(repository)") {
            return .failure(.forbidden(reason: "\(repository) is kept from everybody"))
        }
        guard let user = request.headers["Authorization"] else { return .success(.anonymous) }
        if insiders.contains(user) { return .success(Admission(user: user, includesPrivate: true)) }
        return .success(Admission(foreignCredential: .basic(user: user, password: "secret")))
    }
}

/// Refuses what a test names.
struct ScriptedPolicy: PolicyControl {
    var denied: @Sendable (PolicySubject) -> Bool

    func verdict(on subject: PolicySubject) -> PolicyAnswer {
        denied(subject) ? .now(.deny(reason: "the policy says no")) : .now(.allow)
    }
}
