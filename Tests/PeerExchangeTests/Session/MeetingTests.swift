import Content
import Gossip
import PeerExchange
import Testing

@Suite(.timeLimit(.minutes(2))) struct MeetingTests {
    @Test("Members meet by a seed's address alone, know each other, and answer each other's calls")
    func meeting() async throws {
        let root = try TestRoot()
        let big = [UInt8](repeating: 7, count: 1 << 20)
        let one = try await TestMember(try root.credentials()) { request, _ in
            request == .ping ? .ok([1, 2, 3]) : .ok(big)
        }
        let seed = GossipConfiguration.Seed(endpoint: one.endpoint)
        let two = try await TestMember(try root.credentials(roles: [.private]), seeds: [seed])
        let three = try await TestMember(try root.credentials(), seeds: [seed])
        #expect(await two.sees([one.id, three.id]))
        #expect(await three.sees([one.id, two.id]))
        #expect(await one.sees([two.id, three.id]))
        #expect(one.gossip.members.first { $0.node == two.id }?.roles == [.private])
        #expect(
            try await two.connections.call(.ping, of: one.id, within: .small(.seconds(5))) == .ok([1, 2, 3]))
        let name = try ReferenceName("go/x@v1.zip")
        try await withThrowingTaskGroup(of: PeerReply.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    try await two.connections.call(.statement(name), of: one.id, within: .small(.seconds(20)))
                }
            }
            for try await reply in group { #expect(reply == .ok(big)) }
        }
        #expect(two.counters.peers[one.id]?.bytesIn ?? 0 >= 16 << 20)
        for member in [one, two, three] { await member.stop() }
    }

    @Test(
        "A stranger with another secret learns nothing, one with another root is told that it is refused, and why"
    )
    func strangers() async throws {
        let root = try TestRoot()
        let member = try await TestMember(try root.credentials())
        let seed = GossipConfiguration.Seed(endpoint: member.endpoint, node: member.id)
        let otherSecret = try await TestMember(try TestRoot().credentials())
        let otherRoot = try await TestMember(try TestRoot(secret: root.secret).credentials())
        for (stranger, told) in [(otherSecret, false), (otherRoot, false)] {
            let failure = await #expect(throws: ExchangeFailure.self) {
                try await stranger.connections.exchange([1], with: seed.endpoint, expecting: seed.node)
            }
            #expect(failure?.reason.contains("refuses") == told, "\(failure?.reason ?? "")")
        }
        #expect(member.counters.refused.firstMessages >= 1)
        #expect(member.gossip.members.isEmpty)
        for one in [member, otherSecret, otherRoot] { await one.stop() }
    }

    @Test("A revoked member is refused with the reason, and taken for a member no longer") func revoked()
        async throws
    {
        let root = try TestRoot()
        let one = try await TestMember(try root.credentials())
        let two = try await TestMember(
            try root.credentials(), seeds: [.init(endpoint: one.endpoint, node: one.id)])
        #expect(await one.sees([two.id]))
        #expect(await two.sees([one.id]))
        #expect(try await two.connections.call(.ping, of: one.id, within: .small(.seconds(5))) == .notHeld)
        one.gossip.take(
            RevocationList(
                cluster: one.credentials.cluster, number: 1, issued: TrustedClock.build, serials: [],
                keys: [two.id], root: root.root))
        #expect(await !one.gossip.nearest().contains(two.id))
        // What it had dialled before is ended; it is told why when it dials again.
        await #expect(throws: PeerFailure.self) {
            while true {
                _ = try await two.connections.call(.ping, of: one.id, within: .small(.seconds(5)))
            }
        }
        let late = try await TestMember(two.credentials)
        let failure = await #expect(throws: ExchangeFailure.self) {
            try await late.connections.exchange([1], with: one.endpoint, expecting: one.id)
        }
        #expect(failure?.reason.contains("revoked") == true, "\(failure?.reason ?? "")")
        #expect(one.gossip.refused.map(\.node) == [two.id])
        for member in [one, two, late] { await member.stop() }
    }
}
