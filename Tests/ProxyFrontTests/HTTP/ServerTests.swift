import Content
import Foundation
import NIOCore
import ProxyFront
import Testing

/// Starts a server on loopback, gives its port, and shuts it down.
func withServer(
    _ responder: any Responder, metrics: Metrics = Metrics(),
    configure: (inout HTTPServer.Configuration) -> Void = { _ in },
    _ body: (Int) async throws -> Void
) async throws {
    var configuration = HTTPServer.Configuration(listen: [.init(host: "127.0.0.1", port: 0)])
    configuration.eventLoops = 2
    configure(&configuration)
    let server = try await HTTPServer.start(configuration, responder: responder, metrics: metrics)
    do {
        try await body(server.addresses[0].port!)
    } catch {
        await server.shutdown(grace: .zero)
        throw error
    }
    await server.shutdown(grace: .zero)
    #expect(metrics.connections.value == 0)
    #expect(metrics.requestsInFlight.value == 0)
}

@Suite("The server over sockets")
struct ServerTests {
    static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("answers curl: whole, head, range, ranges, condition")
    func curl() async throws {
        let bytes = TestFile.pattern(300_000)
        let file = try TestFile.open(bytes)
        let slice = FileSlice(file: file, range: 1000..<300_000)
        let content = Array(bytes[1000...])
        let responder = ScriptedResponder([
            "/f": .now(
                Response(status: .ok, headers: ["ETag": "\"x\""], body: .file(slice), servedFrom: .local))
        ])
        try await withServer(responder) { port in
            func curl(_ arguments: String...) async throws -> [UInt8] {
                let all =
                    ["--silent", "--http1.1", "--max-time", "20"] + arguments + ["http://127.0.0.1:\(port)/f"]
                return try await runProgram("/usr/bin/curl", all).output
            }
            let isWhole = try await curl() == content
            #expect(isWhole)
            let isMiddle = try await curl("--range", "10-99999") == Array(content[10..<100_000])
            #expect(isMiddle)
            let isTail = try await curl("--range", "299-") == Array(content[299...])
            #expect(isTail)
            let isEnd = try await curl("--range", "-5") == Array(content.suffix(5))
            #expect(isEnd)
            let head = String(decoding: try await curl("--head"), as: UTF8.self)
            #expect(head.contains("Content-Length: 299000\r\n") && head.hasPrefix("HTTP/1.1 200 OK"))
            let parts = try await curl("--range", "0-9,200000-298999")
            #expect(Data(parts).range(of: Data("Content-Range: bytes 0-9/299000".utf8)) != nil)
            #expect(
                parts.count > 99_000 + 10 && Data(parts).range(of: Data(content[200_000..<299_000])) != nil)
            let unchanged = try await curl("--header", "If-None-Match: \"x\"", "--write-out", "%{http_code}")
            #expect(String(decoding: unchanged, as: UTF8.self) == "304")
            let twice = try await runProgram(
                "/usr/bin/curl",
                [
                    "--silent", "--write-out", "%{num_connects}", "--output", "/dev/null", "--output",
                    "/dev/null",
                    "http://127.0.0.1:\(port)/f", "http://127.0.0.1:\(port)/f",
                ])
            #expect(String(decoding: twice.output, as: UTF8.self) == "10")
        }
    }

    @Test("keeps pipelined answers in order, whatever makes them")
    func pipelining() async throws {
        let file = try TestFile.open(Array("<file>".utf8))
        let responder = ScriptedResponder { request in
            let number = Int(request.target.dropFirst()) ?? 0
            let text = Array(request.target.utf8)
            switch number % 7 {
            case 0: return .now(Response(status: .ok, body: .array(text)))
            case 1: return .later { Response(status: .ok, body: .array(text)) }
            case 2...4: return .now(Response(status: .ok, body: .file(FileSlice(file: file, range: 0..<6))))
            default:
                let body = PushedBody()
                body.push("s")
                body.push("")
                body.push("tream")
                body.end()
                return .now(Response(status: .ok, body: .stream(length: 6, body)))
            }
        }
        try await withServer(responder) { port in
            let client = try RawClient(port: port)
            let count = 2000
            let requests = (0..<count).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            try await client.send(requests)
            for number in 0..<count {
                let body = try await client.answer().body
                let wanted = number % 7 < 2 ? "/\(number)" : number % 7 < 5 ? "<file>" : "stream"
                guard body == wanted else {
                    Issue.record("answer \(number) was \(body)")
                    return
                }
            }
        }
    }

    @Test("keeps the order of answers that the socket of a slow client does not take at once")
    func slowClient() async throws {
        let digits = (0..<30_000).map { String($0 + 100_000) }.joined()
        let file = try TestFile.open(Array(digits.utf8))
        @Sendable func letters(_ number: Int) -> String {
            String(repeating: Character(Unicode.Scalar(UInt8(97 + number % 17))), count: 20_000 + number)
        }
        let responder = ScriptedResponder { request in
            let number = Int(request.target.dropFirst()) ?? 0
            if number % 50 == 0 {
                let slice = FileSlice(file: file, range: 0..<Int64(digits.utf8.count))
                return .now(Response(status: .ok, body: .file(slice)))
            }
            switch number % 5 {
            case 1: return .now(Response(status: .ok, body: .array(Array(request.target.utf8))))
            default: return .now(Response(status: .ok, body: .array(Array(letters(number).utf8))))
            }
        }
        try await withServer(responder) { port in
            let client = try RawClient(port: port, receiveBuffer: 32 << 10)
            let count = 1000
            try await client.send((0..<count).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for number in 0..<count {
                let body = try await client.answer().body
                let wanted = number % 50 == 0 ? digits : number % 5 == 1 ? "/\(number)" : letters(number)
                guard body == wanted else {
                    Issue.record("answer \(number) was \(body.prefix(100))... of \(body.utf8.count) bytes")
                    return
                }
            }
        }
    }

    @Test("answers a client that closed its side, and then closes")
    func halfClosed() async throws {
        let body = PushedBody()
        let responder = ScriptedResponder([
            "/a": .later { Response(status: .ok, body: .stream(length: 4, body)) }
        ])
        try await withServer(responder) { port in
            let client = try RawClient(port: port)
            try await client.send(Self.get)
            client.closeWriting()
            await body.untilAsked(1)
            body.push("ab")
            body.push("cd")
            body.end()
            let (bytes, isReset) = try await client.readToEnd()
            #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("\r\n\r\nabcd"))
            #expect(!isReset)
        }
    }

    @Test("keeps no more than a bound for a client that asks and never reads")
    func deafClient() async throws {
        let metrics = Metrics()
        let answer = Response(
            status: .ok, body: .array([UInt8](repeating: 0x61, count: 16 << 10)), servedFrom: .local)
        try await withServer(ScriptedResponder(["/a": .now(answer)]), metrics: metrics) { configuration in
            configuration.timeouts.writeStall = .milliseconds(300)
        } _: { port in
            let client = try RawClient(port: port, receiveBuffer: 32 << 10)
            // Far more than the kernel buffers on the way; sending fails once the server has given the client up.
            let batch = String(repeating: Self.get, count: 1000)
            await #expect(throws: RawClient.Failure.self) {
                for _ in 0..<10_000 { try await client.send(batch) }
            }
            // The kernel's send buffer and the write mark of 1 MiB, not what was asked for.
            #expect(metrics.bytes.value(.local) < 32 << 20)
        }
    }

    @Test("lets the client read a refusal although it is still sending")
    func lingers() async throws {
        try await withServer(ScriptedResponder([:])) { port in
            let client = try RawClient(port: port)
            let flood =
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"
                + String(repeating: "x", count: 1 << 20)
            try await client.send(flood)
            client.closeWriting()
            let (bytes, isReset) = try await client.readToEnd()
            #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 413 "))
            #expect(!isReset)
        }
    }

    @Test("turns connections away over the limit, by number and by address, and takes them again later")
    func limits() async throws {
        for perAddress in [false, true] {
            let metrics = Metrics()
            try await withServer(ScriptedResponder([:]), metrics: metrics) { configuration in
                configuration.limits.connections = perAddress ? 100 : 2
                configuration.limits.connectionsPerAddress = perAddress ? 2 : 100
                configuration.limits.limitsLoopback = true
            } _: { port in
                var first: RawClient? = try RawClient(port: port)
                let second = try RawClient(port: port)
                for client in [first, second] {
                    try await client?.send(Self.get)
                    #expect(try await client?.answer().status == 200)
                }
                let third = try RawClient(port: port)
                let refusal = try await third.answer()
                #expect(refusal.status == 503)
                #expect(refusal["retry-after"] == "5")
                first?.closeWriting()
                _ = try await first?.readToEnd()
                third.closeWriting()
                _ = try await third.readToEnd()
                first = nil
                // The server has closed both by now, as the ends of their streams say; its count follows.
                var status = 503
                for _ in 0..<100 where status == 503 {
                    let fourth = try RawClient(port: port)
                    try await fourth.send(Self.get)
                    status = try await fourth.answer().status
                }
                #expect(status == 200)
                #expect(metrics.turnedAway.value >= 1)
            }
        }
    }

    @Test("listens on several addresses and reports them")
    func addresses() async throws {
        var configuration = HTTPServer.Configuration(
            listen: [.init(host: "127.0.0.1", port: 0), .init(host: "::1", port: 0)])
        configuration.eventLoops = 1
        let server = try await HTTPServer.start(
            configuration, responder: ScriptedResponder([:]), metrics: Metrics())
        #expect(server.addresses.count == 2)
        for (address, host) in zip(server.addresses, ["127.0.0.1", "[::1]"]) {
            let url = "http://\(host):\(address.port!)/over-\(host.count)"
            let output = try await runProgram("/usr/bin/curl", ["--silent", "--globoff", url]).output
            #expect(String(decoding: output, as: UTF8.self) == "/over-\(host.count)")
        }
        let taken = HTTPServer.Configuration(listen: [
            .init(host: "127.0.0.1", port: server.addresses[0].port!)
        ])
        await #expect {
            _ = try await HTTPServer.start(taken, responder: ScriptedResponder([:]), metrics: Metrics())
        } throws: { error in
            "\(error)".contains("cannot listen on 127.0.0.1:\(server.addresses[0].port!)")
        }
        await server.shutdown(grace: .zero)
    }

    @Test("reports where a request came from")
    func origin() async throws {
        let responder = ScriptedResponder { request in
            let address = request.remoteAddress?.ipAddress ?? "none"
            return .now(.text(.ok, "\(address) \(request.isLoopback) \(request.isSecure) \(request.id > 0)"))
        }
        try await withServer(responder) { port in
            let client = try RawClient(port: port)
            try await client.send(Self.get)
            #expect(try await client.answer().body == "127.0.0.1 true false true\n")
        }
    }
}
