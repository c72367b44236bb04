import Foundation
import Gossip
import Testing

@Suite("Datagrams that come")
struct DatagramIntakeTests {
    /// Two nodes that know each other.
    private func pair() throws -> CoreBench {
        var bench = try CoreBench(2)
        bench.run(for: .seconds(5))
        return bench
    }

    /// A datagram that node 1 made for node 0 and that did not arrive.
    private func lost(_ bench: inout CoreBench) throws -> [UInt8] {
        bench.silent = [1]
        bench.forgetTraffic()
        bench.run(for: .milliseconds(1_600))
        bench.silent = []
        return try #require(bench.sent.first { $0.from == 1 && $0.to == 0 }).bytes
    }

    @Test("one that comes twice is taken once")
    func replay() throws {
        var bench = try pair()
        let datagram = try lost(&bench)
        let before = bench.cores[0].drops
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        #expect(bench.cores[0].drops == before)
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        #expect(bench.cores[0].drops.replayed == before.replayed + 1)
    }

    @Test("a stranger's gets no answer, and nothing is kept of it")
    func stranger() throws {
        var bench = try pair()
        let other = try TestCluster().credentials()
        bench.forgetTraffic()
        let bytes = DatagramKey.plain(
            [1, 4, 0, 0, 0, 0], sender: other.tag, boot: 1, counter: 1, random: .init(repeating: 0, count: 16)
        )
        for _ in 0..<1000 { bench.give(.datagram(bytes, from: CoreBench.endpoint(7)), to: 0) }
        #expect(bench.sent.isEmpty)
        #expect(bench.cores[0].drops.strange == 1000)
        #expect(bench.cores[0].members(now: bench.now).count == 1)
    }

    @Test("whatever its bytes are, a datagram that nobody sealed gets no answer")
    func forged() throws {
        var bench = try pair()
        let datagram = try lost(&bench)
        bench.forgetTraffic()
        let before = bench.cores[0].drops.total
        for bit in 0..<datagram.count * 8 {
            var changed = datagram
            changed[bit / 8] ^= 1 << (bit % 8)
            bench.give(.datagram(changed, from: CoreBench.endpoint(1)), to: 0)
        }
        #expect(bench.sent.isEmpty)
        #expect(bench.cores[0].drops.total == before + UInt64(datagram.count * 8))
        // And the real one is still taken.
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        #expect(bench.cores[0].drops.total == before + UInt64(datagram.count * 8))
    }

    @Test("forgers cannot use up what is taken of a member")
    func forgedFlood() throws {
        var bench = try pair()
        let datagram = try lost(&bench)
        var forged = datagram
        forged[forged.count - 1] ^= 1
        for _ in 0..<5000 { bench.give(.datagram(forged, from: CoreBench.endpoint(1)), to: 0) }
        let flooding = bench.cores[0].drops.flooding
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        #expect(bench.cores[0].drops.flooding == flooding)
        #expect(flooding == 0)
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        #expect(bench.cores[0].drops.replayed > 0)
    }

    @Test("a datagram full of questions brings few answers")
    func manyQuestions() throws {
        var bench = try pair()
        let (asker, owner) = (bench.credentials[1], bench.credentials[0])
        let shared = try #require(asker.key.sharedSecret(with: owner.id))
        let boots = (bench.cores[1].ownRecord.incarnation.boot, bench.cores[0].ownRecord.incarnation.boot)
        let key = DatagramKey(
            shared: shared, secret: asker.secret, cluster: bench.cluster.id, sender: asker.id,
            senderBoot: boots.0, receiver: owner.id, receiverBoot: boots.1)
        let request = GossipMessage.cardRequest(owner.tag).encoded
        let count = DatagramHead.messageLimit / request.count
        let datagram = key.seal(
            (0..<count).flatMap { _ in request }, sender: asker.tag, boot: boots.0, counter: 1 << 40,
            random: [UInt8](repeating: 7, count: 16))
        bench.forgetTraffic()
        bench.give(.datagram(datagram, from: CoreBench.endpoint(1)), to: 0)
        let answers = bench.sent.filter { $0.from == 0 }.reduce(0) { $0 + $1.bytes.count }
        let card = GossipMessage.card(bench.cores[0].card).encoded.count
        #expect(answers >= GossipCore.answerLimit * card)
        #expect(answers < GossipCore.answerLimit * (card + DatagramHead.overhead))
        #expect(bench.cores[0].drops.flooding == UInt64(count - GossipCore.answerLimit))
    }

    @Test("a member that floods is taken as much of as is allowed, and again later")
    func budget() {
        var budget = Budget()
        var now = GossipTime(nanoseconds: 1)
        let taken = (0..<5000).count { _ in budget.take(rate: 2000, now: now) }
        #expect(taken == 2000)
        now = now + .milliseconds(100)
        #expect((0..<5000).count { _ in budget.take(rate: 2000, now: now) } == 200)
    }

    @Test("a revoked member's datagrams are dropped, and it is told nothing")
    func revoked() throws {
        var bench = try CoreBench(3)
        bench.run(for: .seconds(5))
        let list = RevocationList(
            cluster: bench.cluster.id, number: 1, issued: bench.wall, serials: [],
            keys: [bench.credentials[1].id],
            root: bench.cluster.root)
        bench.give(.revocations(list), to: 0)
        bench.forgetTraffic()
        let before = bench.cores[0].drops.refused
        bench.run(for: .seconds(120))
        #expect(bench.cores[0].drops.refused > before)
        #expect(!bench.sent.contains { $0.from == 0 && $0.to == 1 })
        // The list reached the third without anybody's doing.
        #expect(bench.cores[2].trust.revocations?.number == 1)
    }

    /// Run by hand: `EDGENODE_MEASURE=1`. The time that one bad datagram costs.
    @Test(
        "what a bad datagram costs",
        .enabled(if: ProcessInfo.processInfo.environment["EDGENODE_MEASURE"] != nil))
    func cost() throws {
        var bench = try pair()
        let good = try lost(&bench)
        var forged = good + [UInt8](repeating: 0, count: DatagramHead.datagramLimit - good.count)
        forged[20] ^= 0x40
        var unknown = good
        unknown[1] ^= 1
        var laterBoot = forged
        laterBoot[11] ^= 0x40
        bench.give(.datagram(good, from: CoreBench.endpoint(1)), to: 0)
        for (name, bytes) in [
            ("stranger", unknown), ("replayed", good), ("forged, 1,232 bytes", forged),
            ("forged, of a later start", laterBoot),
        ] {
            let count = 50_000
            let span = ContinuousClock().measure {
                for _ in 0..<count { bench.give(.datagram(bytes, from: CoreBench.endpoint(1)), to: 0) }
            }
            print("\(name): \(span / .microseconds(count)) us")
        }
        print(bench.cores[0].drops)
    }
}
