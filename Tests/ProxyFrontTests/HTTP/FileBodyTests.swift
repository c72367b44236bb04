import Content
import Foundation
import ProxyFront
import Testing

@Suite("A file body")
struct FileBodyTests {
    static func serve(_ slice: FileSlice) -> ScriptedResponder {
        ScriptedResponder([
            "/f": .now(Response(status: .ok, body: .file(slice), servedFrom: .local))
        ])
    }
    static let get = "GET /f HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test(
        "arrives byte for byte, whatever its place and length",
        arguments: [
            0..<1, 5..<5, 0..<32_768, 7..<32_776, 0..<4096, 1..<1_048_577, 0..<3_000_000,
            2_999_999..<3_000_000,
            1_048_576..<2_097_152, 4095..<1_052_673,
        ] as [Range<Int64>])
    func exact(_ range: Range<Int64>) async throws {
        let bytes = TestFile.pattern(3_000_000)
        let file = try TestFile.open(bytes)
        try await withServer(Self.serve(FileSlice(file: file, range: range))) { port in
            let client = try RawClient(port: port)
            for _ in 0..<2 {
                try await client.send(Self.get)
                _ = try await client.read(until: "\r\n\r\n")
                let body = try await client.read(range.count)
                let isRight = body.elementsEqual(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
                #expect(isRight)
            }
        }
    }

    @Test("that is not in memory is read by the disk threads, byte for byte")
    func cold() async throws {
        let bytes = TestFile.pattern(5_000_000)
        let file = try TestFile.open(bytes)
        fsync(file.descriptor)
        let metrics = Metrics()
        let responder = Self.serve(FileSlice(file: file, range: 100..<5_000_000))
        try await withServer(responder, metrics: metrics) { port in
            for _ in 0..<3 {
                posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
                let isCold = !PageCache.holds(0..<5_000_000, of: file)
                let coldReads = metrics.coldReads.value
                let output = try await runProgram(
                    "/usr/bin/curl", ["--silent", "http://127.0.0.1:\(port)/f"]
                ).output
                let isRight = output.elementsEqual(bytes[100...])
                #expect(isRight)
                // A file system that lives in memory has nothing to drop.
                #expect(metrics.coldReads.value > coldReads || !isCold)
            }
        }
    }

    @Test("in memory or not: the quick way and the old one agree, on every part")
    func residency() throws {
        let size: Int64 = 3_000_000
        let file = try TestFile.open(TestFile.pattern(Int(size)))
        fsync(file.descriptor)
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        // The old way looks at some pages of a long range only.
        func agree(isHeld: Bool) {
            for start in stride(from: Int64(0), to: size, by: 48 * Int(page)) {
                for length in [1, page, 10 * page, 300 * page] where start + length <= size {
                    let range = start..<start + length
                    let quick = PageCache.holds(range, of: file)
                    #expect(!quick || PageCache.holdsMapped(range, of: file, page: page), "\(range)")
                    #expect(quick || !isHeld, "\(range)")
                }
            }
        }
        #expect(PageCache.holds(0..<size, of: file))
        agree(isHeld: true)
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
        agree(isHeld: false)
        // One run of pages comes back; the kernel may read a little more.
        var bytes = [UInt8](repeating: 0, count: 10)
        pread(file.descriptor, &bytes, bytes.count, 1_000_000)
        let isBack = PageCache.holds(1_000_000..<1_000_010, of: file)
        #expect(isBack)
        #expect(PageCache.holds(0..<0, of: file))
    }

    @Test("that was cut short behind the store's back closes the connection", arguments: [10_000, 2_000_000])
    func shortFile(_ size: Int) async throws {
        let file = try TestFile.open(TestFile.pattern(size))
        let metrics = Metrics()
        try await withServer(Self.serve(FileSlice(file: file, range: 0..<Int64(size) + 1)), metrics: metrics)
        { port in
            let (status, _) = try await runProgram(
                "/usr/bin/curl", ["--silent", "--max-time", "10", "http://127.0.0.1:\(port)/f"])
            #expect([18, 52, 56].contains(status))
        }
        #expect(metrics.truncated.value == 1)
    }

    @Test("of 1 GiB takes no memory, and a slow client holds nobody up")
    func large() async throws {
        let size: Int64 = 1 << 30
        let file = try TestFile.sparse(size)
        try await withServer(Self.serve(FileSlice(file: file, range: 0..<size))) { port in
            let slow = try RawClient(port: port, receiveBuffer: 64 << 10)
            try await slow.send(Self.get)
            _ = try await slow.read(until: "\r\n\r\n")
            let before = residentBytes()
            let fast = try RawClient(port: port)
            try await fast.send(Self.get)
            #expect(try await fast.skip(Int(size)) == Int(size))
            #expect(residentBytes() - before < 64 << 20)
            #expect(try await slow.skip(1 << 20) == 1 << 20)
        }
    }

    @Test("lets its file go when it is sent, and when the client vanishes")
    func release() async throws {
        weak var watched: OpenFile?
        do {
            let file = try TestFile.sparse(64 << 20)
            watched = file
            try await withServer(Self.serve(FileSlice(file: file, range: 0..<64 << 20))) { port in
                for round in 0..<20 {
                    let client = try RawClient(port: port)
                    try await client.send(Self.get)
                    _ = try await client.read(until: "\r\n\r\n")
                    if round % 2 == 0 { client.vanish() } else { _ = try await client.skip(64 << 20) }
                }
            }
            #expect(fcntl(file.descriptor, F_GETFD) >= 0)
        }
        #expect(watched == nil)
    }
}

/// Of this process, in bytes.
func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return (fields.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
