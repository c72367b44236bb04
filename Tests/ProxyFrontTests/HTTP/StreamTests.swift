import Content
import Foundation
import NIOCore
import ProxyFront
import Testing

@Suite("A streamed body")
struct StreamTests {
    static let get = "GET /s HTTP/1.1\r\nHost: a\r\n\r\n"

    func responder(_ length: Int64?, _ body: PushedBody, headers: Headers = [:]) -> ScriptedResponder {
        ScriptedResponder([
            "/s": .now(
                Response(
                    status: .ok, headers: headers, body: .stream(length: length, body), servedFrom: .upstream)
            )
        ])
    }

    @Test("goes out part by part as it is made, bytes and file slices")
    func parts() async throws {
        let body = PushedBody()
        let file = try TestFile.open(TestFile.pattern(3 << 20))
        try await withServer(responder(5 + (2 << 20) + 10, body)) { port in
            let client = try RawClient(port: port)
            try await client.send(Self.get)
            await body.untilAsked(1)
            body.push("first")
            let head = try await client.read(until: "first")
            #expect(String(decoding: head, as: UTF8.self).hasSuffix("\r\n\r\nfirst"))
            body.push(.file(FileSlice(file: file, range: 1000..<1000 + (2 << 20))))
            body.push(.file(FileSlice(file: file, range: 0..<10)))
            body.end()
            let bytes = try await client.read(10 + (2 << 20))
            let pattern = TestFile.pattern(3 << 20)
            let isRight = bytes == Array(pattern[1000..<1000 + (2 << 20)] + pattern[..<10])
            #expect(isRight)
            try await client.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try await client.answer().body == "/next")
        }
        #expect(body.cancellations == 0)
    }

    @Test("without a length is chunked, and ends with the last chunk")
    func chunked() async throws {
        let body = PushedBody()
        let file = try TestFile.open(TestFile.pattern(100_000))
        try await withServer(responder(nil, body)) { port in
            body.push("hello")
            body.push(.file(FileSlice(file: file, range: 0..<100_000)))
            body.end()
            let (status, output) = try await runProgram(
                "/usr/bin/curl", ["--silent", "--include", "--raw", "http://127.0.0.1:\(port)/s"])
            #expect(status == 0)
            let head = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n186a0\r\n"
            let data = Data(output)
            #expect(data.range(of: Data(head.utf8)) != nil)
            #expect(data.suffix(7) == Data("\r\n0\r\n\r\n".utf8))
            #expect(data.range(of: Data("Content-Length".utf8)) == nil)
        }
    }

    @Test("to HTTP/1.0 without a length ends with the connection")
    func untilClose() async throws {
        let body = PushedBody()
        try await withServer(responder(nil, body)) { port in
            let client = try RawClient(port: port)
            try await client.send("GET /s HTTP/1.0\r\n\r\n")
            body.push("hello")
            body.end()
            let (bytes, isReset) = try await client.readToEnd()
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.hasSuffix("\r\n\r\nhello") && text.contains("Connection: close"))
            #expect(!isReset)
        }
    }

    enum Fault: CaseIterable { case failure, short, long }

    @Test("that cannot be completed never looks complete", arguments: Fault.allCases, [10, nil] as [Int64?])
    func faults(_ fault: Fault, _ length: Int64?) async throws {
        if length == nil, fault != .failure { return }
        let body = PushedBody()
        let metrics = Metrics()
        try await withServer(responder(length, body), metrics: metrics) { port in
            body.push("01234")
            switch fault {
            case .failure: body.fail()
            case .short: body.end()
            case .long: body.push("567890")
            }
            // 18: less than Content-Length came; 56: reset or no last chunk.
            let (status, output) = try await runProgram(
                "/usr/bin/curl", ["--silent", "--max-time", "10", "http://127.0.0.1:\(port)/s"])
            #expect([18, 56].contains(status))
            #expect(output.count <= 5)
            #expect(metrics.truncated.value == 1)
        }
        #expect(body.cancellations == (fault == .long ? 1 : 0))
    }

    @Test("that fails without a framing of its own resets the connection")
    func failureUntilClose() async throws {
        let body = PushedBody()
        try await withServer(responder(nil, body)) { port in
            let client = try RawClient(port: port)
            try await client.send("GET /s HTTP/1.0\r\n\r\n")
            await body.untilAsked(1)
            body.push("hello")
            await body.untilAsked(2)
            body.fail()
            #expect(try await client.readToEnd().isReset)
        }
    }

    @Test("whose client vanishes is cancelled, once", arguments: [false, true])
    func vanishing(_ inTheMiddle: Bool) async throws {
        let body = PushedBody()
        let metrics = Metrics()
        try await withServer(responder(100, body), metrics: metrics) { port in
            let client = try RawClient(port: port)
            try await client.send(Self.get)
            await body.untilAsked(1)
            if inTheMiddle {
                body.push("x")
                await body.untilAsked(2)
            }
            client.vanish()
            await body.untilCancelled()
        }
        #expect(body.cancellations == 1)
        #expect(metrics.aborted.value == 1)
    }

    @Test(
        "that nobody wants is cancelled without being asked",
        arguments: [
            "HEAD /s HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /s HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\n\r\n",
        ])
    func unwanted(_ request: String) async throws {
        let body = PushedBody()
        try await withServer(responder(100, body, headers: ["ETag": "\"x\""])) { port in
            let client = try RawClient(port: port)
            try await client.send(request)
            let head = String(decoding: try await client.read(until: "\r\n\r\n"), as: UTF8.self)
            #expect(head.contains("Content-Length: 100") == request.hasPrefix("HEAD"))
            await body.untilCancelled()
        }
        #expect(body.asked == 0)
        #expect(body.cancellations == 1)
    }

    @Test("is pulled no faster than the client reads")
    func backPressure() async throws {
        let part = ByteBuffer(repeating: 0x61, count: 256 << 10)
        let producer = Endless(part: part, count: 400)
        let responder = ScriptedResponder([
            "/s": .now(Response(status: .ok, body: .stream(length: producer.length, producer)))
        ])
        try await withServer(responder) { port in
            let slow = try RawClient(port: port, receiveBuffer: 64 << 10)
            try await slow.send(Self.get)
            _ = try await slow.read(until: "\r\n\r\n")
            // Another client's exchanges give the server time to run ahead, if it would.
            for _ in 0..<50 {
                let other = try RawClient(port: port)
                try await other.send("GET /o HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await other.answer().body == "/o")
            }
            // The kernel's send buffer (up to 4 MiB and more) and the write mark of 1 MiB may be full, no more.
            #expect(producer.given < 100)
            #expect(try await slow.skip(Int(producer.length)) == Int(producer.length))
            await producer.untilAsked(401)
        }
    }

    @Test("that stalls is waited for, while a client that stalls is not")
    func stalls() async throws {
        let body = PushedBody()
        let filler = Endless(part: ByteBuffer(repeating: 0x61, count: 1 << 20), count: 100)
        let responder = ScriptedResponder([
            "/s": .now(Response(status: .ok, body: .stream(length: 4, body))),
            "/big": .now(Response(status: .ok, body: .stream(length: filler.length, filler))),
        ])
        try await withServer(responder) { configuration in
            configuration.timeouts.writeStall = .milliseconds(300)
            configuration.timeouts.idle = .milliseconds(300)
            configuration.timeouts.head = .milliseconds(300)
        } _: { port in
            let waiting = try RawClient(port: port)
            try await waiting.send(Self.get)
            await body.untilAsked(1)
            let stalling = try RawClient(port: port, receiveBuffer: 32 << 10)
            try await stalling.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            await filler.untilCancelled()
            // By now every time-out has passed for the first client too.
            body.push("late")
            body.end()
            #expect(try await waiting.answer().body == "late")
        }
    }
}

/// The same part again and again.
final class Endless: BodyProducer {
    private let inner = PushedBody()
    let length: Int64

    init(part: ByteBuffer, count: Int) {
        length = Int64(part.readableBytes) * Int64(count)
        for _ in 0..<count { inner.push(.bytes(part)) }
        inner.end()
    }

    /// How many parts were asked for.
    var given: Int { inner.asked }
    func untilCancelled() async { await inner.untilCancelled() }
    func untilAsked(_ times: Int) async { await inner.untilAsked(times) }
    func next() async throws -> BodyPart? { try await inner.next() }
    func cancelled() { inner.cancelled() }
}
