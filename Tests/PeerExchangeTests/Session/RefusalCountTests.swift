import Gossip
import NIOCore
import NIOPosix
import PeerExchange
import Testing

/// What a listener counts of those whom it does not let in.
@Suite("Counting who is refused", .timeLimit(.minutes(2))) struct RefusalCountTests {
    /// Sends bytes on a connection of its own and waits until the listener ends it.
    private func send(_ bytes: [UInt8], to member: TestMember) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: Int(member.endpoint.port)).get()
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        try await channel.closeFuture.get()
    }

    private func first(_ credentials: ClusterCredentials, to member: TestMember) throws -> [UInt8] {
        var driver = HandshakeDriver.initiator(credentials)
        return try driver.begin(
            with: member.id,
            card: MemberCard(
                record: MemberRecord(
                    cluster: credentials.cluster, incarnation: Incarnation(boot: 1), isLeaving: false,
                    protocols: 1...1, endpoints: [member.endpoint], inventoryEpoch: 1, software: "test",
                    key: credentials.key),
                certificate: credentials.certificate))
    }

    @Test(
        "changed first messages are dropped, who is no member is refused, and members are let in after both")
    func counting() async throws {
        let root = try TestRoot()
        let member = try await TestMember(try root.credentials())
        let good = try first(try root.credentials(), to: member)
        // The version, the MAC, the keys, the sealed card.
        for position in [0, 1, 16, 19, 60, 110, good.count - 1] {
            var changed = good
            changed[position] ^= 0x40
            try await send(changed, to: member)
        }
        #expect(member.counters.refused == (0, 7))
        // One whom the list of the revoked names.
        let revoked = try root.credentials()
        member.gossip.take(
            RevocationList(
                cluster: member.credentials.cluster, number: 1, issued: TrustedClock.build, serials: [],
                keys: [revoked.id], root: root.root))
        try await send(try first(revoked, to: member), to: member)
        #expect(member.counters.refused == (1, 7))
        let friend = try await TestMember(
            try root.credentials(), seeds: [.init(endpoint: member.endpoint, node: member.id)])
        #expect(await friend.sees([member.id]))
        #expect(member.counters.refused == (1, 7))
        await friend.stop()
        await member.stop()
    }
}
