import NIOCore
import ProxyFront
import Testing

@Suite("Shutting down")
struct ShutdownTests {
    @Test("closes idle connections, finishes what is being sent, and takes nobody new")
    func graceful() async throws {
        let body = PushedBody()
        let responder = ScriptedResponder([
            "/s": .now(Response(status: .ok, body: .stream(length: 10, body)))
        ])
        let metrics = Metrics()
        var configuration = HTTPServer.Configuration(listen: [.init(host: "127.0.0.1", port: 0)])
        configuration.eventLoops = 2
        let server = try await HTTPServer.start(configuration, responder: responder, metrics: metrics)
        let port = server.addresses[0].port!
        let idle = try RawClient(port: port)
        try await idle.send("GET /i HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await idle.answer().body == "/i")
        let busy = try RawClient(port: port)
        try await busy.send("GET /s HTTP/1.1\r\nHost: a\r\n\r\n")
        await body.untilAsked(1)
        body.push("01234")
        async let stopping: Void = server.shutdown(grace: .seconds(60))
        #expect(try await idle.readToEnd().bytes.isEmpty)
        #expect(throws: RawClient.Failure.self) { try RawClient(port: port) }
        try await waitUntil { metrics.connections.value == 1 }
        body.push("56789")
        body.end()
        let (bytes, isReset) = try await busy.readToEnd()
        #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("\r\n\r\n0123456789"))
        #expect(!isReset)
        await stopping
        #expect(metrics.connections.value == 0)
    }

    @Test("cuts off what is not done when the grace period is over")
    func overdue() async throws {
        let body = PushedBody()
        let responder = ScriptedResponder([
            "/s": .now(Response(status: .ok, body: .stream(length: 10, body)))
        ])
        let server = try await HTTPServer.start(
            .init(listen: [.init(host: "127.0.0.1", port: 0)]), responder: responder, metrics: Metrics())
        let client = try RawClient(port: server.addresses[0].port!)
        try await client.send("GET /s HTTP/1.1\r\nHost: a\r\n\r\n")
        await body.untilAsked(1)
        await server.shutdown(grace: .milliseconds(100))
        #expect(body.cancellations == 1)
        _ = try await client.readToEnd()
    }
}
