import Gossip
import Testing

/// A writer's log, and what others keep of it.
@Suite("Inventory logs") struct InventoryLogTests {
    private func ids(_ range: Range<UInt64>) -> [InventoryID] { range.map { InventoryID(rawValue: $0) } }

    @Test("changes are numbered one by one, and what changes nothing is none")
    func numbers() {
        var log = InventoryLog(epoch: 3)
        #expect(log.change(add: ids(0..<5), remove: []) == true)
        #expect(log.sequence == 5)
        #expect(log.change(add: ids(0..<5), remove: ids(10..<20)) == false)
        #expect(log.sequence == 5 && log.epoch == 3)
        // What is taken out and put in by one call is in.
        #expect(log.change(add: ids(4..<6), remove: ids(3..<5)) == true)
        #expect(log.sequence == 9 && log.ids.count == 5)
        #expect((0..<7).filter(log.ids.contains) == [0, 1, 2, 4, 5])
        let last = log.operations(after: 5, limit: 9)
        #expect(last?.map(\.id) == [3, 4, 4, 5] && last?.map(\.isAdd) == [false, false, true, true])
    }

    @Test(
        "a reader that gets the changes in any pieces, some twice, ends with what the writer has",
        arguments: 0..<20)
    func reading(seed: Int) throws {
        var rng = GossipRandom(seed: [UInt8](repeating: UInt8(seed), count: 32))
        var (writer, reader) = (InventoryLog(epoch: 1), InventoryLog(epoch: 1))
        for step in 0..<400 {
            let many = Int.random(in: 0..<40, using: &rng)
            let some = (0..<many).map { _ in InventoryID(rawValue: UInt64.random(in: 0..<500, using: &rng)) }
            let cut = Int.random(in: 0...many, using: &rng)
            _ = writer.change(add: Array(some[..<cut]), remove: Array(some[cut...]))
            guard step % 3 == 0 else { continue }
            let back = UInt64.random(in: 0...30, using: &rng)
            let after = reader.sequence - min(reader.sequence, back)
            let operations = try #require(
                writer.operations(after: after, limit: Int.random(in: 1...200, using: &rng)))
            #expect(reader.apply(operations, after: after) == true, "seed \(seed)")
            #expect(reader.sequence <= writer.sequence, "seed \(seed)")
        }
        while reader.sequence < writer.sequence {
            let operations = try #require(writer.operations(after: reader.sequence, limit: 100))
            #expect(reader.apply(operations, after: reader.sequence) == true)
        }
        #expect(reader.ids.hash == writer.ids.hash && reader.ids.count == writer.ids.count, "seed \(seed)")
        // The reader gives them on as the writer would.
        for after in stride(from: UInt64(0), through: writer.sequence, by: 37) {
            #expect(reader.operations(after: after, limit: 50) == writer.operations(after: after, limit: 50))
        }
    }

    @Test("changes that do not follow on what is known are not taken, those that are known change nothing")
    func gaps() throws {
        var writer = InventoryLog(epoch: 1)
        _ = writer.change(add: ids(0..<10), remove: [])
        var reader = InventoryLog(epoch: 1)
        let all = try #require(writer.operations(after: 0, limit: 10))
        #expect(reader.apply(Array(all[1...]), after: 1) == false)
        #expect(reader.sequence == 0 && reader.ids.count == 0)
        #expect(reader.apply(Array(all[..<4]), after: 0) == true)
        #expect(reader.apply(Array(all[..<4]), after: 0) == true)
        #expect(reader.apply(Array(all[1..<3]), after: 1) == true)
        #expect(reader.apply([], after: 4) == true)
        #expect(reader.sequence == 4 && reader.ids.count == 4)
        #expect(reader.apply(Array(all[2...]), after: 2) == true)
        #expect(reader.sequence == 10 && reader.ids.hash == writer.ids.hash)
    }

    @Test("the last changes are kept, up to a limit; who lacks more is told to take a snapshot")
    func window() throws {
        var log = InventoryLog(epoch: 1)
        let limit = UInt64(InventoryLog.windowLimit)
        for step in 0..<3 * limit {
            _ = log.change(add: ids(step..<step + 1), remove: [])
            let kept = min(log.sequence, limit)
            // A walk over all of them now and then, the edges each time.
            #expect(log.operations(after: log.sequence - kept, limit: 1)?.first?.id == log.sequence - kept)
            if log.sequence > limit {
                #expect(log.operations(after: log.sequence - kept - 1, limit: 1) == nil)
            }
            guard step % 1021 == 0 else { continue }
            let all = try #require(log.operations(after: log.sequence - kept, limit: 10_000))
            #expect(all.map(\.id) == Array(log.sequence - kept..<log.sequence))
        }
        #expect(log.operations(after: log.sequence, limit: 5) == [])
        #expect(log.operations(after: log.sequence + 1, limit: 5) == nil)
        #expect(log.operations(after: .max, limit: 5) == nil)
    }

    @Test("a snapshot is where its reader goes on from, and it has no changes before")
    func snapshot() throws {
        var writer = InventoryLog(epoch: 7)
        _ = writer.change(add: ids(0..<100), remove: [])
        let (sorted, more) = writer.page(after: nil, limit: 1000)
        #expect(!more)
        var reader = InventoryLog(epoch: writer.epoch, sequence: writer.sequence, sorted: sorted)
        #expect(reader.ids.hash == writer.ids.hash && reader.operations(after: 99, limit: 1) == nil)
        _ = writer.change(add: ids(200..<210), remove: ids(0..<3))
        let news = try #require(writer.operations(after: reader.sequence, limit: 100))
        #expect(reader.apply(news, after: reader.sequence) == true)
        #expect(reader.ids.hash == writer.ids.hash && reader.sequence == 113)
        #expect(reader.operations(after: 100, limit: 100) == news)
    }
}
