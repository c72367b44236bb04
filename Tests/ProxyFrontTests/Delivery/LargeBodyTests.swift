import ChunkStore
import Content
import Foundation
import NIOCore
import ProxyFront
import Synchronization
import Testing

/// A body far larger than memory may ever hold, to a slow and a fast client at once.
@Suite struct LargeBodyTests {
    private static let size: Int64 = 10_000_000_000
    /// In the long run only: so many bytes on their way to the disk hold up every other test's syncs.
    private static let isLongRun = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"

    /// Makes bytes as fast as they are taken.
    private final class Generator: BodySource, UpstreamBody {
        private let left: Mutex<Int64>
        private let part = ByteBuffer(repeating: 0x5a, count: 512 * 1024)
        let size: Int64
        let name = "generator"

        init(size: Int64) {
            self.size = size
            left = Mutex(size)
        }

        func open(
            from offset: Int64, to end: Int64?, validator: String?
        ) async throws(UpstreamFailure) -> UpstreamAnswer {
            var facts = UpstreamFacts()
            facts.total = size
            facts.length = size
            return UpstreamAnswer(facts: facts, body: self)
        }

        func next() async throws(UpstreamFailure) -> ByteBuffer? {
            let count = left.withLock { left in
                let count = min(left, Int64(part.readableBytes))
                left -= count
                return Int(count)
            }
            return count == 0 ? nil : part.getSlice(at: 0, length: count)
        }

        func cancel() {}
    }

    private static func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Reads a body as a socket does that sends files: without copying it into memory.
    private static func drain(_ body: any BodyProducer, each: () async throws -> Void) async throws -> Int64 {
        var count: Int64 = 0
        while let part = try await body.next() {
            switch part {
            case .bytes(let buffer): count += Int64(buffer.readableBytes)
            case .file(let slice): count += slice.count
            }
            try await each()
        }
        return count
    }

    @Test(.enabled(if: isLongRun)) func itStreamsToASlowAndAFastClientInBoundedMemory() async throws {
        try await TestNode.running(TestNode.Settings("off")) { node in
            let generator = Generator(size: Self.size)
            let name = try ReferenceName("test/large")
            let before = try Self.residentBytes()
            let highest = Mutex(before)
            let start = ContinuousClock.now
            let fast = try await node.delivery.read(name, from: generator)
            let slow = try await node.delivery.read(name, from: generator)
            async let quick = Self.drain(fast) {
                let now = try Self.residentBytes()
                highest.withLock { $0 = max($0, now) }
            }
            // Takes nothing until the fast one has everything.
            let received = try await quick
            let late = try await Self.drain(slow) {}
            #expect(received == Self.size)
            #expect(late == Self.size)
            let growth = highest.withLock { $0 } - before
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print(
                "\(Self.size / 1_000_000) MB to two clients in \(seconds) s, "
                    + "resident memory grew by \(growth / 1_000_000) MB from \(before / 1_000_000) MB")
            // Other suites run in this process meanwhile and take memory of their own: alone it is 20 MB.
            #expect(growth < 300_000_000)
        }
    }
}
