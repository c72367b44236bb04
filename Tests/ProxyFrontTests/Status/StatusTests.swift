import Foundation
import ProxyFront
import Testing

@Suite("The status endpoints")
struct StatusTests {
    struct Fixed: StatusSource {
        var value: NodeStatus
        func status() async -> NodeStatus { value }
    }

    static let healthy = NodeStatus(
        version: "1.2<3>", uptimeSeconds: 4000,
        store: .init(
            bytes: 5 << 20, capacity: 10 << 30, objects: 7, references: 9, evictedObjects: 2,
            evictedBytes: 100),
        upstreams: [
            .init(name: "proxy", url: "https://proxy.example.org", isHealthy: true),
            .init(name: "spare", url: "https://spare.example.org", isHealthy: false, detail: "refused <b>"),
        ],
        inFlight: [.init(name: "go/x@v1.zip", receivedBytes: 10, totalBytes: nil, readers: 3)],
        alarms: ["disk & more"])

    func answer(
        _ path: String, _ status: NodeStatus = healthy, metrics: Metrics = Metrics(),
        method: HTTPMethod = .get
    )
        async throws -> (response: Response, text: String)
    {
        let router = Router(StatusResponders.routes(source: Fixed(value: status), metrics: metrics))
        let response: Response
        switch router.respond(to: Request(method: method, target: path)) {
        case .now(let now): response = now
        case .later(let work): response = await work()
        }
        guard case .array(let bytes) = response.body else { throw Unexpected() }
        return (response, String(decoding: bytes, as: UTF8.self))
    }
    struct Unexpected: Error {}

    @Test("say alive at once, without asking anybody")
    func health() throws {
        let router = Router(StatusResponders.routes(source: Fixed(value: Self.healthy), metrics: Metrics()))
        guard case .now(let response) = router.respond(to: Request(target: "/healthz")) else {
            throw Unexpected()
        }
        #expect(response.status == .ok)
    }

    @Test("are ready with an upstream down, and not ready with the reason")
    func readiness() async throws {
        #expect(try await answer("/readyz").response.status == .ok)
        var status = Self.healthy
        status.notReadyBecause = "the store is opening"
        let (response, text) = try await answer("/readyz", status)
        #expect(response.status == .serviceUnavailable)
        #expect(text.contains("the store is opening"))
    }

    @Test("give the same numbers as JSON")
    func json() async throws {
        let metrics = Metrics()
        metrics.hits.add(.local, 3)
        metrics.hits.add(.upstream)
        metrics.bytes.add(.local, 300)
        metrics.bytes.add(.upstream, 50)
        let (response, text) = try await answer("/api/v1/status", metrics: metrics)
        #expect(response.headers["Content-Type"] == "application/json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(StatusReport.self, from: Data(text.utf8))
        #expect(report.node == Self.healthy)
        #expect(report.traffic.hitRate == 0.75)
        #expect(report.traffic.bytesSaved == 300)
        #expect(text.contains("\"uptime_seconds\" : 4000"))
        #expect(report.traffic.bySource.map(\.source) == ["local", "in_flight", "peer", "upstream"])
    }

    @Test("show it to people, with nothing that could become markup or load from elsewhere")
    func page() async throws {
        let (response, text) = try await answer("/")
        #expect(response.headers["Content-Type"] == "text/html; charset=utf-8")
        #expect(response.headers["Content-Security-Policy"]?.contains("default-src 'none'") == true)
        for part in [
            "1.2&lt;3&gt;", "up 1 h 6 min", "5.0 MiB", "of 10.0 GiB", "7 objects", "proxy.example.org",
            "down",
            "refused &lt;b&gt;", "go/x@v1.zip", "disk &amp; more", "Ready.", "no answer yet",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        for part in ["<script", "src=", "http://", "<b>"] { #expect(!text.contains(part), "\(part)") }
    }

    @Test("put the status's numbers into the metrics")
    func metrics() async throws {
        let (response, text) = try await answer("/metrics")
        #expect(response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
        for line in [
            "edgenode_store_bytes 5242880", "edgenode_store_objects 7", "edgenode_evictions_total 2",
            "edgenode_evicted_bytes_total 100", "edgenode_ingests_in_flight 1",
            "edgenode_uptime_seconds 4000",
            "edgenode_ready 1", "edgenode_upstream_healthy{upstream=\"spare\"} 0",
            "edgenode_upstream_healthy{upstream=\"proxy\"} 1",
        ] {
            #expect(text.split(separator: "\n").contains { $0 == line }, "\(line)")
        }
    }

    @Test("are read-only", arguments: ["/", "/metrics", "/healthz", "/readyz", "/api/v1/status"])
    func readOnly(_ path: String) async throws {
        let (response, _) = try await answer(path, method: .post)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers["Allow"] == "GET, HEAD")
    }
}
