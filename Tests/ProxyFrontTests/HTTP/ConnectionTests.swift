import Foundation
import NIOCore
import NIOEmbedded
import ProxyFront
import Synchronization
import Testing

@Suite("A connection")
struct ConnectionTests {
    static let get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    static let digits = Array("0123456789".utf8)
    static let content = ScriptedResponder([
        "/a": .now(
            Response(
                status: .ok,
                headers: [
                    "ETag": "\"v1\"", "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "Content-Type": "text/x",
                ], body: .array(digits), servedFrom: .local)),
        "/buffer": .now(Response(status: .ok, body: .bytes(ByteBuffer(string: "0123456789")))),
        "/gone": .now(.text(.gone, "gone")),
        "/empty": .now(Response(status: .noContent, body: .array(digits))),
    ])

    func get(_ path: String = "/a", _ fields: String = "", method: String = "GET", version: String = "1.1")
        throws -> ParsedAnswer
    {
        let front = try EmbeddedFront(Self.content)
        let text = try front.exchange("\(method) \(path) HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n")
        return try #require(ParsedAnswer(text), "\(text)")
    }

    @Test("answers request after request")
    func keepAlive() throws {
        let front = try EmbeddedFront(Self.content)
        for _ in 0..<3 {
            let answer = try #require(ParsedAnswer(try front.exchange(Self.get)))
            #expect(answer.status == 200)
            #expect(answer.body == "0123456789")
            #expect(answer["content-length"] == "10")
            #expect(answer["connection"] == nil)
            #expect(answer["date"]?.hasSuffix("GMT") == true)
            #expect(answer["accept-ranges"] == "bytes")
        }
        #expect(front.isOpen)
        #expect(front.metrics.hits.value(.local) == 3)
        #expect(front.metrics.bytes.value(.local) == 30)
        #expect(front.metrics.responses.value(.success) == 3)
    }

    @Test("answers pipelined requests in order, in one write")
    func pipelined() throws {
        let front = try EmbeddedFront(ScriptedResponder([:]))
        let requests = (0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        try front.channel.writeInbound(ByteBuffer(string: requests))
        let write = try #require(try front.channel.readOutbound(as: IOData.self))
        #expect(try front.channel.readOutbound(as: IOData.self) == nil)
        guard case .byteBuffer(let buffer) = write else { throw WrongKind() }
        let bodies = String(buffer: buffer).split(separator: "HTTP/1.1 200 OK").map {
            $0.split(separator: "\r\n\r\n")[1]
        }
        #expect(bodies.map(String.init) == (0..<50).map { "/\($0)" })
    }

    @Test("takes requests in any pieces")
    func pieces() throws {
        let front = try EmbeddedFront(Self.content)
        var text = ""
        for byte in Self.get.utf8 { text += try front.exchange(String(UnicodeScalar(byte))) }
        #expect(ParsedAnswer(text)?.body == "0123456789")
    }

    @Test(
        "closes when it should",
        arguments: [
            ("GET /a HTTP/1.0\r\n\r\n"), ("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
            ("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        ])
    func closes(_ request: String) throws {
        let front = try EmbeddedFront(Self.content)
        let answer = try #require(ParsedAnswer(try front.exchange(request)))
        #expect(answer["connection"] == "close")
        #expect(answer.body == "0123456789")
        #expect(!front.isOpen)
    }

    @Test("closes after its last allowed request")
    func requestLimit() throws {
        var limits = FrontLimits()
        limits.requestsPerConnection = 2
        let front = try EmbeddedFront(Self.content, limits: limits)
        #expect(ParsedAnswer(try front.exchange(Self.get))?["connection"] == nil)
        #expect(ParsedAnswer(try front.exchange(Self.get))?["connection"] == "close")
        #expect(!front.isOpen)
    }

    @Test("answers HEAD like GET without the body", arguments: ["/a", "/buffer", "/gone"])
    func head(_ path: String) throws {
        let (get, head) = (try get(path), try get(path, method: "HEAD"))
        #expect(head.status == get.status)
        #expect(head.body == "")
        #expect(head.headers.map(\.0) == get.headers.map(\.0))
        #expect(head["content-length"] == String(get.body.utf8.count))
    }

    @Test("keeps the length that a responder gives for HEAD, and only there")
    func headLength() throws {
        let responder = ScriptedResponder([
            "/h": .now(
                Response(status: .ok, headers: ["Content-Length": "12345", "Connection": "x"], body: .none))
        ])
        func length(_ method: String) throws -> [String] {
            let front = try EmbeddedFront(responder)
            let answer = ParsedAnswer(try front.exchange("\(method) /h HTTP/1.1\r\nHost: a\r\n\r\n"))
            #expect(answer?["connection"] == nil)
            return answer?.headers.filter { $0.0 == "content-length" }.map(\.1) ?? []
        }
        #expect(try length("HEAD") == ["12345"])
        #expect(try length("GET") == ["0"])
    }

    @Test("sends no body and no length with 204")
    func noContent() throws {
        let answer = try get("/empty")
        #expect(answer.status == 204)
        #expect(answer.body == "")
        #expect(answer["content-length"] == nil)
    }

    @Test(
        "answers conditions",
        arguments: [
            ("If-None-Match: \"v1\"", 304), ("If-None-Match: \"v2\"", 200),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304), ("If-Match: \"v2\"", 412),
        ])
    func conditions(_ field: String, _ status: Int) throws {
        let answer = try get("/a", field + "\r\n")
        #expect(answer.status == status)
        #expect(answer.body == (status == 200 ? "0123456789" : ""))
        #expect(answer["etag"] == "\"v1\"")
        #expect(answer["content-length"] == (status == 304 ? nil : status == 200 ? "10" : "0"))
    }

    @Test("cuts one range", arguments: ["/a", "/buffer"])
    func range(_ path: String) throws {
        let answer = try get(path, "Range: bytes=2-4\r\n")
        #expect(answer.status == 206)
        #expect(answer.body == "234")
        #expect(answer["content-range"] == "bytes 2-4/10")
        #expect(answer["content-length"] == "3")
    }

    @Test("cuts several ranges into parts", arguments: ["/a", "/buffer"])
    func ranges(_ path: String) throws {
        let answer = try get(path, "Range: bytes=0-1,-2\r\n")
        #expect(answer.status == 206)
        let kind = try #require(answer["content-type"])
        let boundary = try #require(kind.split(separator: "boundary=").last.map(String.init))
        #expect(kind == "multipart/byteranges; boundary=\(boundary)")
        #expect(answer["content-length"] == String(answer.body.utf8.count))
        let type = path == "/a" ? "Content-Type: text/x\r\n" : ""
        #expect(
            answer.body == "--\(boundary)\r\n\(type)Content-Range: bytes 0-1/10\r\n\r\n01\r\n"
                + "--\(boundary)\r\n\(type)Content-Range: bytes 8-9/10\r\n\r\n89\r\n--\(boundary)--\r\n")
    }

    @Test("refuses a range beyond the end")
    func unsatisfiable() throws {
        let answer = try get("/a", "Range: bytes=10-\r\n")
        #expect(answer.status == 416)
        #expect(answer["content-range"] == "bytes */10")
        #expect(answer["content-length"] == "0")
    }

    @Test(
        "ignores a range where it must",
        arguments: [
            ("GET", "/a", "Range: bytes=2-4\r\nIf-Range: \"v2\"\r\n", 200),
            ("GET", "/a", "Range: lines=1-2\r\n", 200),
            ("HEAD", "/a", "Range: bytes=2-4\r\n", 200), ("GET", "/gone", "Range: bytes=2-4\r\n", 410),
            ("GET", "/a", "Range: bytes=2-4\r\nIf-Range: \"v1\"\r\n", 206),
            ("GET", "/a", "Range: bytes=2-4\r\nIf-None-Match: \"v1\"\r\n", 304),
        ])
    func ignoredRange(_ method: String, _ path: String, _ fields: String, _ status: Int) throws {
        #expect(try get(path, fields, method: method).status == status)
    }

    @Test("hands a request's body over, by length and in chunks")
    func bodies() throws {
        let front = try EmbeddedFront(ScriptedResponder.echo)
        let post = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(ParsedAnswer(try front.exchange(post + "Content-Length: 3\r\n\r\nabc"))?.body == "abc")
        let chunked = post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        #expect(ParsedAnswer(try front.exchange(chunked))?.body == "abcde")
        #expect(ParsedAnswer(try front.exchange(Self.get))?.status == 200)
    }

    @Test("says 100 Continue when the body is waited for, and only then")
    func continues() throws {
        let front = try EmbeddedFront(ScriptedResponder.echo)
        let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        #expect(try front.exchange(head) == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(ParsedAnswer(try front.exchange("abc"))?.body == "abc")
        #expect(try front.exchange(head + "abc").hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test(
        "refuses with the reason and closes",
        arguments: [
            ("GET  / HTTP/1.1\r\n", 400, RejectReason.malformed),
            ("CONNECT a:1 HTTP/1.1\r\n", 405, .proxying),
            ("GET http://a/ HTTP/1.1\r\n", 400, .proxying), ("PRI * HTTP/2.0\r\n", 505, .unsupported),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413, .tooLarge),
        ])
    func refuses(_ text: String, _ status: Int, _ reason: RejectReason) throws {
        let front = try EmbeddedFront(Self.content)
        let answer = try #require(ParsedAnswer(try front.exchange(text)))
        #expect(answer.status == status)
        #expect(answer["connection"] == "close")
        #expect(answer["content-type"]?.hasPrefix("text/plain") == true)
        #expect(answer.body.hasSuffix("\n") && answer.body.count > 10)
        #expect(answer["allow"] == (status == 405 ? "GET, HEAD" : nil))
        #expect(front.metrics.rejected.value(reason) == 1)
        #expect(try front.exchange(Self.get) == "")
        front.advance(5)
        #expect(!front.isOpen)
    }

    @Test("answers what came before a bad request")
    func goodThenBad() throws {
        let front = try EmbeddedFront(Self.content)
        let text = try front.exchange(Self.get + "\u{1}")
        #expect(text.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) } == ["200", "400"])
    }

    @Test("gives a slow head 20 seconds, not more for each byte")
    func slowHead() throws {
        let front = try EmbeddedFront(Self.content)
        for byte in "GET /aaaaaaaaaaaaaa".utf8 {
            #expect(try front.exchange(String(UnicodeScalar(byte))) == "")
            front.advance(1)
        }
        front.advance(3)
        #expect(ParsedAnswer(try front.output())?.status == 408)
        #expect(front.metrics.rejected.value(.timeout) == 1)
    }

    @Test("gives a slow body 60 seconds")
    func slowBody() throws {
        let front = try EmbeddedFront(Self.content)
        _ = try front.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        front.advance(50)
        #expect(try front.exchange("x") == "")
        #expect(front.isOpen)
        front.advance(11)
        #expect(ParsedAnswer(try front.output())?.status == 408)
    }

    @Test("closes an idle connection after 75 seconds without a word")
    func idle() throws {
        let front = try EmbeddedFront(Self.content)
        front.advance(70)
        _ = try front.exchange(Self.get)
        front.advance(70)
        #expect(front.isOpen)
        front.advance(6)
        #expect(!front.isOpen)
        #expect(try front.output() == "")
        #expect(front.metrics.connections.value == 0)
    }

    @Test("tells one client too many to come back later")
    func turnedAway() throws {
        var limits = FrontLimits()
        limits.connections = 0
        let front = try EmbeddedFront(Self.content, limits: limits)
        let answer = try #require(ParsedAnswer(try front.output()))
        #expect(answer.status == 503)
        #expect(answer["retry-after"] == "5")
        #expect(front.metrics.turnedAway.value == 1)
    }

    @Test("writes one access record per request")
    func accessLog() throws {
        let records = Mutex<[AccessRecord]>([])
        let front = try EmbeddedFront(
            Self.content, accessLog: { record in records.withLock { $0.append(record) } })
        _ = try front.exchange(
            "GET /a?q=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: t\r\n\r\nHEAD /gone HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try front.exchange("GET  / HTTP/1.1\r\n")
        let seen = records.withLock { $0 }
        #expect(seen.map(\.status) == [200, 410, 400])
        #expect(seen.map(\.bytes).prefix(2) == [10, 0])
        #expect(seen.map(\.target).prefix(2) == ["/a?q=1", "/gone"])
        #expect(seen[0].servedFrom == .local && seen[1].servedFrom == nil)
        #expect(seen[0].userAgent == "t")
        #expect(seen[0].outcome == .complete)
        #expect(Set(seen.map(\.id)).count == 3)
    }

    @Test("answers what it has when the client closes its side, then closes")
    func halfClosed() throws {
        let front = try EmbeddedFront(Self.content)
        _ = try front.exchange("GET /a HT")
        front.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!front.isOpen)
        let second = try EmbeddedFront(Self.content)
        #expect(try second.exchange(Self.get).hasPrefix("HTTP/1.1 200"))
        second.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(!second.isOpen)
    }

    struct WrongKind: Error {}
}
