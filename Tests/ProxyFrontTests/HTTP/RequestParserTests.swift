import NIOCore
import ProxyFront
import Testing

@Suite("The request parser")
struct RequestParserTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        var what: String
        var bytes: String
        var status: Int
        var testDescription: String { what }

        init(_ what: String, _ bytes: String, _ status: Int = 400) {
            self.what = what
            self.bytes = bytes
            self.status = status
        }
    }

    static let tail = " HTTP/1.1\r\nHost: a\r\n\r\n"
    static let post = "POST / HTTP/1.1\r\nHost: a\r\n"

    static let bad: [Bad] = [
        Bad("a bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        Bad("a bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        Bad("a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        Bad("a CR inside the request line", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"),
        Bad("a CR inside a header", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
        Bad("a lone CR before the request line", "\rGET / HTTP/1.1\r\n"),
        Bad("HTTP/0.9", "GET /\r\n"),
        Bad("two spaces before the target", "GET  /" + tail),
        Bad("two spaces before the version", "GET / " + tail),
        Bad("a tab for a space", "GET\t/" + tail),
        Bad("no target", "GET " + tail),
        Bad("a leading space", " GET /" + tail),
        Bad("an empty method", "/ HTTP/1.1\r\n\r\n"),
        Bad("a method with a bracket", "G(T /" + tail),
        Bad("a method of 33 letters", String(repeating: "A", count: 33) + " /" + tail),
        Bad("a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Bad("a version with two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        Bad("a version without a point", "GET / HTTP/11\r\nHost: a\r\n\r\n"),
        Bad("HTTP/2 without negotiation", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        Bad("HTTP/3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        Bad("HTTP/0.9 spelled out", "GET / HTTP/0.9\r\n\r\n", 505),
        Bad("TLS on a plain port", "\u{16}\u{3}\u{1}"),
        Bad("an absolute target", "GET http://example.org/" + tail),
        Bad("an https target", "GET https://example.org/x" + tail),
        Bad("CONNECT", "CONNECT example.org:443" + tail, 405),
        Bad("CONNECT with a path", "CONNECT /" + tail, 405),
        Bad("an authority target with GET", "GET example.org:80" + tail),
        Bad("a relative target", "GET x" + tail),
        Bad("an asterisk with GET", "GET *" + tail),
        Bad("an asterisk and more", "OPTIONS *x" + tail),
        Bad("a fragment", "GET /#x" + tail),
        Bad("a raw quote", "GET /\"" + tail),
        Bad("a raw non-ASCII byte", "GET /é" + tail),
        Bad("a NUL in the target", "GET /\0" + tail),
        Bad("a backslash in the target", "GET /a\\b" + tail),
        Bad("a percent without digits", "GET /%" + tail),
        Bad("a percent with one digit", "GET /%4" + tail),
        Bad("a percent with letters that are no digits", "GET /%zz" + tail),
        Bad("no Host", "GET / HTTP/1.1\r\n\r\n"),
        Bad("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
        Bad("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        Bad("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Bad("a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        Bad("a Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
        Bad("a Host with a port that is no number", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"),
        Bad("a Host with a port of six digits", "GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n"),
        Bad("a Host with a broken IPv6 address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        Bad("a Host with text after an IPv6 address", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
        Bad("a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
        Bad("a first header that starts with a space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        Bad("a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        Bad("a header without a colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
        Bad("a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        Bad("a NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
        Bad("a DEL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{7F}\r\n\r\n"),
        Bad("a non-ASCII header name", "GET / HTTP/1.1\r\nHost: a\r\né: 1\r\n\r\n"),
        Bad("a negative length", post + "Content-Length: -1\r\n\r\n"),
        Bad("a signed length", post + "Content-Length: +1\r\n\r\n"),
        Bad("a hexadecimal length", post + "Content-Length: 0x1\r\n\r\n"),
        Bad("an empty length", post + "Content-Length:\r\n\r\n"),
        Bad("a list of lengths", post + "Content-Length: 1, 1\r\n\r\n"),
        Bad("two lengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        Bad("a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n"),
        Bad("a length and a coding", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Bad("a coding and a length", post + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
        Bad("a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Bad("chunked twice", post + "Transfer-Encoding: chunked, chunked\r\n\r\n"),
        Bad("chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n"),
        Bad(
            "chunked twice in two lines",
            post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Bad("an empty coding", post + "Transfer-Encoding: ,\r\n\r\n"),
        Bad("an unknown coding", post + "Transfer-Encoding: gzip\r\n\r\n", 501),
        Bad("an unknown coding before chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        Bad("a coding with a strange byte", post + "Transfer-Encoding: \u{b}chunked\r\n\r\n"),
        Bad("a quoted coding", post + "Transfer-Encoding: \"chunked\"\r\n\r\n", 501),
        Bad("an unknown expectation", post + "Expect: 200-ok\r\n\r\n", 417),
        Bad("a body over the limit", post + "Content-Length: 65537\r\n\r\n", 413),
        Bad("a chunk over the limit", post + "Transfer-Encoding: chunked\r\n\r\n10001\r\n", 413),
        Bad(
            "a chunk size of 16 digits", post + "Transfer-Encoding: chunked\r\n\r\n0000000000000001\r\n", 413),
        Bad("a chunk without a size", post + "Transfer-Encoding: chunked\r\n\r\n\r\n"),
        Bad("a chunk size that is no number", post + "Transfer-Encoding: chunked\r\n\r\nx\r\n"),
        Bad("a chunk size with text behind", post + "Transfer-Encoding: chunked\r\n\r\n1 x\r\n"),
        Bad("a chunk size line that ends in LF", post + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n"),
        Bad("a chunk longer than its size", post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
        Bad("a chunk that ends in LF", post + "Transfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n"),
        Bad(
            "an endless chunk extension",
            post + "Transfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 1100)),
        Bad("a folded trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\n x\r\n\r\n"),
        Bad("a trailer without a colon", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n"),
        Bad(
            "101 trailers",
            post + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "a: b\r\n", count: 101)
                + "\r\n", 431),
        Bad("a target that never ends", "GET /" + String(repeating: "a", count: 17 << 10), 414),
        Bad("a target too long", "GET /" + String(repeating: "a", count: 16 << 10) + tail, 414),
        Bad(
            "101 headers",
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a: b\r\n", count: 100) + "\r\n", 431),
        Bad(
            "headers too long together",
            "GET / HTTP/1.1\r\nHost: a\r\n"
                + String(repeating: "a: " + String(repeating: "b", count: 8000) + "\r\n", count: 5)
                + "\r\n", 431),
        Bad(
            "a header that never ends", "GET / HTTP/1.1\r\nHost: " + String(repeating: "b", count: 33 << 10),
            431),
        Bad("empty lines without end", String(repeating: "\r\n", count: 100)),
        Bad("a body and then no request", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx\u{1}"),
    ]

    @Test("refuses what is bad, with the right status, at any cut", arguments: bad)
    func refuses(_ bad: Bad) {
        let bytes = Array(bad.bytes.utf8)
        let whole = RequestTrace(bytes)
        #expect(whole.rejection?.status.code == bad.status)
        #expect(whole.rejection?.explanation.isEmpty == false)
        for step in [1, 2, 3, 7, 64] {
            #expect(RequestTrace(bytes, cuts: stride(from: step, to: bytes.count, by: step)) == whole)
        }
    }

    @Test("takes the bytes of a target that RFC 3986 knows, and no other, anywhere", arguments: [1, 20, 47])
    func targetBytes(place: Int) {
        let others = Set("-._~:/?[]@!$&'()*+,;={}|^`".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "%") {
            var target = Array(("/" + String(repeating: "a", count: 47)).utf8)
            target[place] = byte
            let trace = RequestTrace(Array("GET ".utf8) + target + Array(Self.tail.utf8))
            let letter = byte | 0x20
            let isKnown = (0x61...0x7A).contains(letter) && byte >= 0x41
            let isFine = isKnown || (0x30...0x39).contains(byte) || others.contains(byte)
            #expect((trace.rejection == nil) == isFine, "byte \(byte)")
        }
    }

    @Test("stays failed")
    func staysFailed() throws {
        var parser = RequestParser()
        var buffer = ByteBuffer(string: "GET  / HTTP/1.1\r\n\r\n")
        let first = #expect(throws: RequestRejection.self) { try parser.next(&buffer) }
        var good = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(throws: RequestRejection.self) { try parser.next(&good) }
        #expect(first?.status.code == 400)
    }

    @Test("takes exactly as much as the limits say")
    func limitsAreExact() {
        var limits = RequestParser.Limits()
        (limits.requestLine, limits.headerBytes, limits.headerLines, limits.body) = (30, 40, 2, 5)
        func status(_ text: String) -> Int? {
            RequestTrace(Array(text.utf8), limits: limits).rejection?.status.code
        }
        func line(_ count: Int) -> String {
            "GET /" + String(repeating: "a", count: count - 16) + " HTTP/1.1\r\n"
        }
        #expect(line(30).utf8.count == 30)
        #expect(status(line(30) + "Host: a\r\n\r\n") == nil)
        #expect(status(line(31) + "Host: a\r\n\r\n") == 414)
        let fields = "Host: a\r\nX: " + String(repeating: "x", count: 24) + "\r\n\r\n"
        #expect(fields.utf8.count == 40)
        #expect(status("GET / HTTP/1.1\r\n" + fields) == nil)
        #expect(status("GET / HTTP/1.1\r\nY" + fields.dropFirst()) == 400)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\nX: x" + fields.dropFirst(11)) == 431)
        #expect(status("GET / HTTP/1.1\r\nHost: a\r\na:\r\nb:\r\n\r\n") == 431)
        let post = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(status(post + "Content-Length: 5\r\n\r\n12345") == nil)
        #expect(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n123456") == 413)
    }

    @Test("reads a plain request")
    func plain() throws {
        let trace = RequestTrace(
            Array("GET /a%20b?x=1?2 HTTP/1.1\r\nHost: a:80\r\nX-A:  b \t\r\nx-a: c\r\nEmpty:\r\n\r\n".utf8))
        let head = try #require(trace.heads.first)
        #expect(trace.rejection == nil)
        #expect(head.method == .get)
        #expect(head.target == "/a%20b")
        #expect(head.query == "x=1?2")
        #expect(head.headers["x-A"] == "b, c")
        #expect(head.headers["empty"] == "")
        #expect(head.headers["none"] == nil)
        #expect(head.keepAlive)
        #expect(head.body == .none)
    }

    @Test(
        "reads what it should about methods, versions and connections",
        arguments: [
            ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", HTTPMethod.head, true),
            ("PUT / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .put, true),
            ("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", .patch, true),
            ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", .delete, true),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .options, true),
            ("get / HTTP/1.1\r\nHost: a\r\n\r\n", .other, true),
            ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", .other, true),
            ("GET / HTTP/1.0\r\n\r\n", .get, false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", .get, false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", .get, false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n", .get, false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", .get, true),
            ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .get, true),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .get, true),
        ])
    func reads(_ text: String, _ method: HTTPMethod, _ keepAlive: Bool) throws {
        let trace = RequestTrace(Array(text.utf8))
        let head = try #require(trace.heads.first, "\(String(describing: trace.rejection))")
        #expect(head.method == method)
        #expect(head.keepAlive == keepAlive)
        #expect(trace.unread == 0)
    }

    @Test("reads bodies by length and in chunks")
    func bodies() {
        let text =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "4;name=\"v\"\r\nwiki\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
            + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
            + "GET /last HTTP/1.1\r\nHost: a\r\n\r\n"
        let trace = RequestTrace(Array(text.utf8))
        #expect(trace.rejection == nil)
        #expect(trace.heads.count == 4)
        #expect(trace.bodies.map { String(decoding: $0, as: UTF8.self) } == ["abc", "wiki0123456789"])
        #expect(trace.ends == 2)
        #expect(trace.heads.last?.target == "/last")
        #expect(trace.heads[1].headers["Trailer"] == nil)
    }

    @Test("notes an expectation only where a body follows")
    func expectation() {
        func expects(_ fields: String) -> Bool? {
            RequestTrace(Array("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n".utf8)).heads.first?
                .expectsContinue
        }
        #expect(expects("Expect: 100-Continue\r\nContent-Length: 3") == true)
        #expect(expects("Expect: 100-continue\r\nContent-Length: 0") == false)
        #expect(expects("Expect: 100-continue") == false)
    }
}
