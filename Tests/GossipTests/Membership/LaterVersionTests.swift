import Content
import Gossip
import Testing

@Suite("Members of other versions")
struct LaterVersionTests {
    /// Two nodes that know each other, and a third one of another make.
    private func bench(_ shape: @escaping (inout GossipConfiguration) -> Void) throws -> CoreBench {
        var bench = try CoreBench(2)
        bench.add(try bench.cluster.credentials(), seeds: [CoreBench.endpoint(0)], shape: shape)
        bench.run(for: .seconds(10))
        return bench
    }

    private func isRefused(_ number: Int, by observer: Int, _ bench: CoreBench) -> Bool {
        bench.events[observer].contains {
            if case .refused(bench.credentials[number].id, .otherProtocols) = $0 { true } else { false }
        }
    }

    @Test("one that speaks this version too is a member, whatever else it says")
    func shared() throws {
        let bench = try bench {
            $0.protocols = 1...2
            $0.recordExtra = [1, 2, 3]
            // An unknown message, a ping with more behind its number, a card that cannot be read.
            $0.trailer = [200, 2, 7, 7] + [1, 6, 0, 0, 0, 0, 9, 9] + [6, 1, 0]
        }
        for (observer, subject) in [(0, 2), (1, 2), (2, 0), (2, 1)] {
            #expect(bench.state(of: subject, seenBy: observer) == .alive)
            #expect(bench.cores[observer].drops.total == 0)
        }
        #expect(bench.cores[0].view(of: bench.credentials[2].id, now: bench.now)?.protocols == 1...2)
    }

    @Test("one without a version in common is refused, and is told why when it comes")
    func apart() throws {
        var bench = try bench { $0.protocols = 2...3 }
        #expect(bench.cores[0].members(now: bench.now).map(\.node) == [bench.credentials[1].id])
        #expect(isRefused(2, by: 0, bench))
        #expect(bench.cores[2].members(now: bench.now).isEmpty)
        let (card, wall) = (bench.cores[2].card, bench.wall)
        var refusal: TrustRefusal?
        bench.change(0) { core in refusal = core.admit(card, wall: wall).failure }
        #expect(refusal == .otherProtocols(2...3, own: 1...1))
        #expect("\(TrustRefusal.otherProtocols(2...3, own: 1...1))".contains("versions 2 to 3"))
    }

    @Test("a member that comes back with other versions only is none, until it speaks this one again")
    func update() throws {
        var bench = try bench { _ in }
        #expect(bench.state(of: 2, seenBy: 0) == .alive)
        bench.restart(2, seeds: [CoreBench.endpoint(0)], state: bench.kept[2]) { $0.protocols = 2...2 }
        bench.run(for: .seconds(10))
        #expect(bench.state(of: 2, seenBy: 0) == .left)
        #expect(isRefused(2, by: 0, bench))
        #expect(!bench.cores[0].nearest(now: bench.now).contains(bench.credentials[2].id))
        bench.restart(2, seeds: [CoreBench.endpoint(0)], state: bench.kept[2])
        bench.run(for: .seconds(10))
        #expect(bench.state(of: 2, seenBy: 0) == .alive)
    }

    @Test("a card that its node has not signed, or without its certificate, parts nobody from it")
    func forgedCards() throws {
        let cluster = try TestCluster()
        let victim = try cluster.credentials()
        let record = MemberRecord(
            cluster: cluster.id, incarnation: Incarnation(boot: .max), isLeaving: false, protocols: 1...1,
            endpoints: [CoreBench.endpoint(1)], inventoryEpoch: 1, software: "", key: victim.key)
        var bytes = record.encoded
        bytes[bytes.count - 1] ^= 1
        var reader = WireReader(bytes)
        let forged = MemberCard(record: try MemberRecord(from: &reader), certificate: victim.certificate)
        let bare = MemberCard(record: record, certificate: nil)
        for card in [forged, bare] {
            var bench = try CoreBench(1, cluster: cluster)
            bench.add(victim, seeds: [CoreBench.endpoint(0)])
            bench.add(try cluster.credentials(), seeds: [CoreBench.endpoint(0)]) {
                $0.trailer = GossipMessage.card(card).encoded
            }
            bench.run(for: .seconds(10))
            // What it has signed itself it stays above, also where no higher start can be counted.
            #expect((bench.cores[1].ownRecord.incarnation > record.incarnation) == (card == bare))
            for member in 1...2 {
                #expect(bench.state(of: member, seenBy: 0) == .alive, "\(member), \(bench.events[0])")
            }
            #expect(
                !bench.events[0].contains { if case .refused(victim.id, _) = $0 { true } else { false } })
        }
    }
}
