import Foundation
import ProxyFront
import Testing

@Suite("A crowd", .serialized)
struct CrowdTests {
    @Test("of 1,000 idle connections costs little memory and no latency")
    func idleCrowd() async throws {
        let body = [UInt8](repeating: 0x61, count: 1024)
        let responder = ScriptedResponder([
            "/a": .now(Response(status: .ok, body: .array(body), servedFrom: .local))
        ])
        let metrics = Metrics()
        // Both ends of each connection are in this process; many systems start with 1,024 descriptors.
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try #require(limit.rlim_max >= 4096)
        limit.rlim_cur = max(limit.rlim_cur, 4096)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try await withServer(responder, metrics: metrics) { port in
            let request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
            let client = try RawClient(port: port)
            let alone = try await medianLatency(of: request, client)
            let before = residentBytes()
            var crowd: [RawClient] = []
            for _ in 0..<1000 {
                let client = try RawClient(port: port)
                try await client.send(request)
                #expect(try await client.answer().status == 200)
                crowd.append(client)
            }
            #expect(metrics.connections.value == 1001)
            // Clients included.
            #expect(residentBytes() - before < 50 << 20)
            let crowded = try await medianLatency(of: request, client)
            print("median of an answer: \(alone) alone, \(crowded) beside 1,000 idle connections")
            // A server that walked all its connections for each request would miss it by far.
            #expect(crowded < alone * 10, "\(alone) alone, \(crowded) in the crowd")
            withExtendedLifetime(crowd) {}
        }
    }

    private func medianLatency(of request: String, _ client: RawClient) async throws -> Duration {
        var latencies: [Duration] = []
        for _ in 0..<2001 {
            let start = ContinuousClock.now
            try await client.send(request)
            _ = try await client.answer()
            latencies.append(ContinuousClock.now - start)
        }
        latencies.sort()
        return latencies[1000]
    }
}
