import Foundation
import ProxyFront
import Testing

@Suite("Cutting the same bytes")
struct RequestSplitTests {
    /// Pieces that requests are put together from, good and bad.
    static let pieces = [
        "GET / HTTP/1.1\r\n", "HEAD /a?b HTTP/1.1\r\n", "POST /x HTTP/1.1\r\n", "GET /y HTTP/1.0\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "\r\n",
        "\r\n\r\n",
        "hello", "5\r\nhello\r\n", "0\r\n\r\n", "3;x=y\r\nabc\r\n", "X: y\r\n", "Range: bytes=0-1,5-\r\n",
        "\n", "\r",
        // Whole ones, whose header lines repeat those before or nearly do.
        "GET /z HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "GET /z HTTP/1.1\r\nHost: a\r\nX: y\r\nA:\r\n\r\n",
        "GET /z HTTP/1.0\r\nHost: a\r\nX: y\r\n\r\n",
        "POST /z HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        " ", "\u{0}", "é", "CONNECT a:1 HTTP/1.1\r\n", "Connection: close\r\n", "a", ":", "0", "f",
    ]

    @Test("never changes what they say")
    func invariance() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        let rounds = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == nil ? 4_000 : 400_000
        var limits = RequestParser.Limits()
        (limits.requestLine, limits.headerBytes, limits.headerLines, limits.body) = (40, 60, 4, 16)
        for _ in 0..<rounds {
            var text = ""
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                text += Self.pieces.randomElement(using: &random) ?? ""
            }
            let bytes = Array(text.utf8)
            let cuts = (0..<4).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let chosen = Bool.random(using: &random) ? limits : RequestParser.Limits()
            let whole = RequestTrace(bytes, limits: chosen)
            let cut = RequestTrace(bytes, cuts: cuts, limits: chosen)
            let single = RequestTrace(bytes, cuts: bytes.indices, limits: chosen)
            guard whole == cut, whole == single else {
                Issue.record("seed \(seed): \(text.debugDescription) cut at \(cuts)")
                return
            }
        }
    }

    @Test("is what the fuzzer checks too, for every seed of the corpus")
    func corpus() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Corpus/http").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 20)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            bytes.withUnsafeBytes { FrontFuzz.run($0) }
        }
    }
}

/// A small generator whose whole run follows from one printed number (Steele, Lea, Flood 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
