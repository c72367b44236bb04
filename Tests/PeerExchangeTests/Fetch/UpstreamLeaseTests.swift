import Content
import Gossip
import PeerExchange
import Testing

/// A lease between two members that own everything between them, over loopback.
@Suite("Fetching for everybody", .timeLimit(.minutes(2))) struct UpstreamLeaseTests {
    private func pair() async throws -> (TestMember, TestMember) {
        let root = try TestRoot()
        let one = try await TestMember(try root.credentials())
        let two = try await TestMember(
            try root.credentials(), seeds: [.init(endpoint: one.endpoint, node: one.id)])
        #expect(await one.sees([two.id]))
        #expect(await two.sees([one.id]))
        return (one, two)
    }

    /// Until something is so; the time limit of the suite ends it otherwise.
    private func wait(until isSo: () async -> Bool) async throws {
        while await !isSo() { try await Task.sleep(for: .milliseconds(10)) }
    }

    private func isHeld(_ id: InventoryID, by holder: TestMember, as other: TestMember) async -> Bool {
        await other.gossip.ask(id, wantsLease: false).fetchers.contains(holder.id)
    }

    @Test("it is asked for again and again while it is held, and given back when it is let go")
    func renewal() async throws {
        let (one, two) = try await pair()
        for number in 0..<4 as Range<UInt64> {
            let id = InventoryID(rawValue: number)
            // Nobody has granted it yet, so what the other learns comes from renewals.
            var lease: UpstreamLease? = UpstreamLease(id, gossip: one.gossip, every: .milliseconds(20))
            try await wait { await isHeld(id, by: one, as: two) }
            #expect(await two.gossip.ask(id, wantsLease: true).lease == .held(by: one.id))
            #expect(lease?.isLost == false)
            lease = nil
            try await wait {
                if case .granted = await two.gossip.ask(id, wantsLease: true).lease { true } else { false }
            }
        }
        await one.stop()
        await two.stop()
    }

    @Test("who learns from the first owner that another member has been granted it has lost it")
    func lost() async throws {
        let (one, two) = try await pair()
        for number in 10..<14 as Range<UInt64> {
            let id = InventoryID(rawValue: number)
            try await wait {
                let answer = await two.gossip.ask(id, wantsLease: true)
                if case .granted = answer.lease { return answer.isFirstOwner }
                return false
            }
            let kept = UpstreamLease(id, gossip: two.gossip, every: .milliseconds(200))
            let late = UpstreamLease(id, gossip: one.gossip, every: .milliseconds(20))
            try await wait { late.isLost }
            #expect(!kept.isLost)
            #expect(await isHeld(id, by: two, as: one))
        }
        await one.stop()
        await two.stop()
    }
}
