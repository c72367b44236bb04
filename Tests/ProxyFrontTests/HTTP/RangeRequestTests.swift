import ProxyFront
import Testing

@Suite("A range request")
struct RangeRequestTests {
    @Test(
        "is resolved against a body of 100 bytes",
        arguments: [
            ("bytes=0-0", [0..<1]), ("bytes=0-", [0..<100]), ("bytes=99-", [99..<100]),
            ("bytes=5-9", [5..<10]),
            ("bytes=5-1000", [5..<100]), ("bytes=-1", [99..<100]), ("bytes=-1000", [0..<100]),
            ("BYTES=0-0", [0..<1]), ("bytes=0-1,5-6", [0..<2, 5..<7]),
            ("bytes= 0-1 ,\t5-6 ,", [0..<2, 5..<7]),
            ("bytes=50-60,0-1", [50..<61, 0..<2]), ("bytes=0-1,200-300", [0..<2]),
            ("bytes=5-9223372036854775807", [5..<100]), ("bytes=5-99999999999999999999", [5..<100]),
            ("bytes=0-49,50-99", [0..<50, 50..<100]),
        ] as [(String, [Range<Int64>])])
    func resolves(_ header: String, _ ranges: [Range<Int64>]) {
        #expect(RangeRequest(header)?.resolve(length: 100) == .ranges(ranges))
    }

    @Test(
        "that misses the body is not satisfiable",
        arguments: ["bytes=100-", "bytes=-0", "bytes=200-300,100-"])
    func misses(_ header: String) {
        #expect(RangeRequest(header)?.resolve(length: 100) == .unsatisfiable)
    }

    @Test(
        "for more than there is gets the whole",
        arguments: ["bytes=0-99,0-", "bytes=0-60,10-70", "bytes=-80,-80"])
    func excess(_ header: String) {
        #expect(RangeRequest(header)?.resolve(length: 100) == .whole)
    }

    @Test(
        "that cannot be read is ignored",
        arguments: [
            "", "bytes", "bytes=", "bytes=,", "items=0-1", "bytes=a-b", "bytes=5-4", "bytes=5", "bytes=-",
            "bytes 0-1",
            "bytes=0-1;5-6", "bytes=0 - 1", "bytes=+1-2", "bytes=0x1-2", "bytes=1--2", "bytes=0-1,x",
        ])
    func ignored(_ header: String) {
        #expect(RangeRequest(header) == nil)
    }

    @Test("of an empty body is never satisfiable")
    func emptyBody() {
        #expect(RangeRequest("bytes=0-")?.resolve(length: 0) == .unsatisfiable)
        #expect(RangeRequest("bytes=-5")?.resolve(length: 0) == .unsatisfiable)
    }

    @Test("may have 1,024 ranges and no more")
    func many() {
        func list(_ count: Int) -> String {
            "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        }
        #expect(RangeRequest(list(1024))?.specs.count == 1024)
        #expect(RangeRequest(list(1025)) == nil)
    }

    @Test("for one range says so")
    func single() {
        #expect(RangeRequest("bytes=3-")?.single == .from(3, last: nil))
        #expect(RangeRequest("bytes=-3")?.single == .suffix(3))
        #expect(RangeRequest("bytes=0-1,3-")?.single == nil)
    }
}
