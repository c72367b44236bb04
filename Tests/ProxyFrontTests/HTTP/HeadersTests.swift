import ProxyFront
import Testing

@Suite("Headers")
struct HeadersTests {
    @Test("are found without case and joined in order")
    func lookup() {
        var headers: Headers = ["Accept": "a", "Host": "h"]
        headers.add("ACCEPT", "b")
        #expect(headers["accept"] == "a, b")
        #expect(headers.values("Accept") == ["a", "b"])
        #expect(headers["Accep"] == nil)
        #expect(headers.contains("hOST"))
        #expect(headers.count == 3)
    }

    @Test("are replaced and removed by name")
    func replaced() {
        var headers: Headers = ["A": "1", "B": "2", "a": "3"]
        headers["a"] = "4"
        #expect(headers.map(\.name) == ["B", "a"])
        #expect(headers["A"] == "4")
        headers["B"] = nil
        #expect(headers.count == 1)
        #expect(headers.description == "a: 4\r\n")
    }

    @Test("cannot be used to forge another line")
    func injection() {
        var headers: Headers = [:]
        headers.add("X-Good", "a\r\nSet-Cookie: b\u{0}")
        headers.add("Bad Name\r\n:", "c")
        #expect(headers["X-Good"] == "a  Set-Cookie: b ")
        #expect(headers.description == "X-Good: a  Set-Cookie: b \r\nBad-Name---: c\r\n")
    }

    @Test("are equal by lines")
    func equality() {
        #expect(["A": "1"] as Headers == ["a": "1"])
        #expect(["A": "1"] as Headers != ["A": "2"])
        #expect(["A": "1"] as Headers != ["A": "1", "B": "2"])
    }
}
