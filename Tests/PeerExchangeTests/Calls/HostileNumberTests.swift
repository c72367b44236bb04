import ChunkStore
import Content
import Foundation
import Gossip
import PeerExchange
import Testing

/// Numbers at the end of what 64 bits hold, where a sum would stop the process.
@Suite("Numbers that a lying peer gives")
struct HostileNumberTests {
    private let digest = try! Digest(.sha256, bytes: [UInt8](repeating: 7, count: 32))

    private func found(size: Int64?, present: [Range<Int64>]) -> [UInt8] {
        let facts = ContentFacts(
            digest: digest, size: size, access: .public, verified: .notApplicable, origin: "a test",
            learned: Date(timeIntervalSince1970: 0), checked: Date(timeIntervalSince1970: 0))
        return Found(facts: facts, transfer: .digest(digest), isComplete: false, present: present).encoded
    }

    @Test(
        "a body longer than any is no answer",
        arguments: [Int64.max, .max - 1, 1 << 62, (1 << 50) + 1] as [Int64])
    func size(_ size: Int64) {
        #expect(throws: WireError.self) { _ = try Found(parsing: found(size: size, present: [])) }
        #expect(PieceList.pieceCount(of: size) > PieceList.pieceLimit)
    }

    @Test("a run of bytes that ends behind any body is no answer")
    func runs() throws {
        for present in [
            [Int64.max - 1..<Int64.max], [0..<Int64.max], [0..<1 << 62, (1 << 62) + 1..<Int64.max],
        ] {
            #expect(throws: WireError.self) { _ = try Found(parsing: found(size: 10, present: present)) }
        }
        let widest: [Range<Int64>] = [0..<1, 1 << 49..<1 << 50]
        let known = try Found(parsing: found(size: 1 << 50, present: widest))
        #expect(known.present == widest)
        // What passes the decoder does no harm to who counts it.
        var plan = FetchPlan(size: 5 << 20)
        let node = try NodeKey.generate().id
        plan.add(node)
        let noted = plan.note(known.present, at: node)
        #expect(!noted)
    }

    @Test("a piece list's part for a body longer than any is none")
    func part() {
        for size in [Int64.max, .max - PeerExchange.pieceLength + 1, -1, 1 << 60] {
            var writer = WireWriter()
            TransferKey.digest(digest).write(to: &writer)
            writer.write(size)
            writer.write([UInt8](repeating: 1, count: NodeID.byteCount))
            writer.write(UInt32.max)
            writer.writeNumber(0)
            writer.write([UInt8](repeating: 1, count: NodeKey.signatureByteCount))
            #expect(throws: WireError.self, "\(size)") {
                var reader = WireReader(writer.bytes)
                _ = try PieceList.Part(from: &reader)
            }
        }
    }

    @Test("pieces are counted as before where sizes are honest")
    func count() {
        for (size, count) in [
            (Int64(0), 0), (1, 1), ((1 << 20) - 1, 1), (1 << 20, 1), ((1 << 20) + 1, 2), (1 << 40, 1 << 20),
        ] { #expect(PieceList.pieceCount(of: size) == count) }
    }

    @Test("a range that is asked for at the end of numbers is no request")
    func request() {
        var writer = WireWriter()
        writer.write(UInt8(3))
        ContentAsk(.blob(digest)).write(to: &writer)
        TransferKey.digest(digest).write(to: &writer)
        writer.write(Int64.max)
        writer.write(UInt32(1))
        #expect(throws: WireError.self) { _ = try PeerRequest.decode(writer.bytes) }
    }
}
