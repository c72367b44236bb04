import Content
import Foundation
import Gossip
import Testing

@Suite("Inventories of members who lie")
struct HostileInventoryTests {
    /// Three nodes that know each other; the second holds ten things, the third lies about them.
    private func trio() throws -> CoreBench {
        var bench = try CoreBench(3)
        bench.run(for: .seconds(5))
        bench.give(.inventory(add: (1...10).map { InventoryID(rawValue: $0) }, remove: []), to: 1)
        bench.run(for: .seconds(5))
        return bench
    }

    private func log(of number: Int, in bench: CoreBench) throws -> InventoryLog {
        let position = try #require(bench.cores[0].index[bench.credentials[number].tag])
        return bench.cores[0].roster[position].log
    }

    /// Lets node 0 take something as if it had come from elsewhere.
    private func tell(
        _ bench: inout CoreBench,
        _ what: (inout GossipCore, inout GossipCore.Step, inout GossipRandom) throws -> Void
    ) rethrows -> [GossipEffect] {
        var step = GossipCore.Step(now: bench.now, trusted: bench.wall, effects: [])
        var rng = GossipRandom(seed: [UInt8](repeating: 7, count: 32))
        var thrown: (any Error)?
        bench.change(0) { core in
            do { try what(&core, &step, &rng) } catch { thrown = error }
        }
        if let thrown { Issue.record("\(thrown)") }
        return step.effects
    }

    private func page(
        of tag: NodeTag, epoch: UInt64, sequence: UInt64, hash: UInt64 = 0, more: Bool = false,
        ids: [UInt64] = []
    ) -> [UInt8] {
        var writer = WireWriter()
        writer.write(GossipCore.Kind.page)
        writer.write(tag.rawValue)
        writer.write(epoch)
        writer.write(sequence)
        writer.write(hash)
        writer.write(UInt8(more ? 1 : 0))
        writer.writeNumber(ids.count)
        for id in ids { writer.write(id) }
        return writer.bytes
    }

    @Test("changes of another's log, numbered to the end of numbers, are not taken")
    func operationsAtTheEnd() throws {
        var bench = try trio()
        let before = try log(of: 1, in: bench)
        #expect(before.ids.count == 10)
        let tag = bench.credentials[1].tag
        for after: UInt64 in [.max, .max - 1, 1 << 63, before.sequence + 1, before.sequence, 0] as [UInt64] {
            for isOwn in [false, after > before.sequence] {
                _ = tell(&bench) { core, step, rng in
                    core.took(
                        (100..<220).map { InventoryChange(id: $0, isAdd: true) }, of: tag,
                        epoch: before.epoch, after: after, isOwn: isOwn, &step, &rng)
                }
                #expect(try log(of: 1, in: bench).sequence == before.sequence, "after \(after), \(isOwn)")
            }
        }
    }

    @Test("a snapshot or a head at the end of numbers is not taken, and the next hint changes nothing")
    func snapshotAtTheEnd() throws {
        var bench = try trio()
        let tag = bench.credentials[1].tag
        let before = try log(of: 1, in: bench)
        for sequence: UInt64 in [.max, .max - 5, InventoryLog.sequenceLimit + 1] as [UInt64] {
            bench.run(for: .seconds(31))
            _ = tell(&bench) { core, step, rng in
                core.tooOld(tag, epoch: before.epoch, isOwn: true, &step)
                #expect(throws: WireError.self) {
                    try core.tookPage(
                        page(of: tag, epoch: before.epoch, sequence: sequence), of: tag, &step)
                }
                core.snapshotFailed(tag, &step)
                core.confirmed(
                    core.index[tag]!, epoch: before.epoch, sequence: sequence, hash: 1, &step, &rng)
                core.hinted(tag, UInt32(truncatingIfNeeded: sequence) &+ 7, &step)
            }
            #expect(try log(of: 1, in: bench).sequence == before.sequence)
        }
        #expect(try log(of: 1, in: bench).ids.hash == before.ids.hash)
    }

    @Test("who says that more follows and gives nothing, or whose hash never fits, is not asked on at once")
    func endlessSnapshot() throws {
        var bench = try trio()
        let tag = bench.credentials[1].tag
        let epoch = try log(of: 1, in: bench).epoch
        for bytes in [
            page(of: tag, epoch: epoch, sequence: 50, more: true),
            page(of: tag, epoch: epoch, sequence: 50, hash: 1, ids: [4, 5]),
        ] {
            bench.run(for: .seconds(31))
            let effects = tell(&bench) { core, step, _ in
                core.tooOld(tag, epoch: epoch, isOwn: true, &step)
                step.effects = []
                #expect(throws: WireError.self) { try core.tookPage(bytes, of: tag, &step) }
                core.snapshotFailed(tag, &step)
            }
            #expect(effects.isEmpty)
        }
    }

    @Test("ids that do not rise are no snapshot")
    func disorder() throws {
        var bench = try trio()
        let tag = bench.credentials[1].tag
        let before = try log(of: 1, in: bench)
        for ids: [UInt64] in [[5, 4], [5, 5]] {
            bench.run(for: .seconds(31))
            _ = tell(&bench) { core, step, _ in
                core.tooOld(tag, epoch: before.epoch, isOwn: true, &step)
                let hash = IDSet(sorted: ids).hash
                #expect(throws: WireError.self) {
                    try core.tookPage(
                        page(of: tag, epoch: before.epoch, sequence: 50, hash: hash, ids: ids), of: tag,
                        &step)
                }
                core.snapshotFailed(tag, &step)
            }
        }
        #expect(try log(of: 1, in: bench).ids.hash == before.ids.hash)
    }

    @Test("a member that says again and again that its changes are too old is not read without end")
    func endlessReadings() throws {
        var bench = try trio()
        let tag = bench.credentials[1].tag
        let epoch = try log(of: 1, in: bench).epoch
        bench.run(for: .seconds(31))
        var readings = 0
        for _ in 0..<100 {
            let effects = tell(&bench) { core, step, _ in
                core.tooOld(tag, epoch: epoch, isOwn: true, &step)
                core.snapshotFailed(tag, &step)
            }
            readings += effects.count { if case .exchange = $0 { true } else { false } }
            bench.run(for: .milliseconds(100))
        }
        #expect((1...6).contains(readings), "\(readings) in 10 s")
    }

    @Test("where another's changes did not fit, the writer alone is asked, and believed")
    func doubt() throws {
        var bench = try trio()
        let tag = bench.credentials[1].tag
        let before = try log(of: 1, in: bench)
        let low = UInt32(truncatingIfNeeded: before.sequence)
        let wrong = [InventoryChange(id: 99, isAdd: true)]
        _ = tell(&bench) { core, step, rng in
            core.hinted(tag, low + 1, &step)
            core.took(
                wrong, of: tag, epoch: before.epoch, after: before.sequence, isOwn: false, &step, &rng)
        }
        #expect(try log(of: 1, in: bench).ids.contains(99), "another's word is taken until the writer speaks")
        bench.give(.inventory(add: [InventoryID(rawValue: 11)], remove: []), to: 1)
        let effects = tell(&bench) { core, step, rng in
            core.confirmed(
                core.index[tag]!, epoch: before.epoch, sequence: before.sequence + 1, hash: 1, &step, &rng)
            core.hinted(tag, low + 2, &step)
            core.took(wrong, of: tag, epoch: before.epoch, after: 0, isOwn: false, &step, &rng)
        }
        #expect(try log(of: 1, in: bench).sequence == 0, "all of it is to be read again")
        #expect(effects.contains { if case .event(.alarm) = $0 { true } else { false } })
        bench.run(for: .seconds(10))
        #expect(try log(of: 1, in: bench).ids.count == 11)
    }
}
