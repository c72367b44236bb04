import Gossip
import GossipSimulation
import Testing

@Suite("Datagrams")
struct DatagramSealTests {
    let cluster: TestCluster
    let (one, other): (ClusterCredentials, ClusterCredentials)

    init() throws {
        cluster = try TestCluster()
        (one, other) = (try cluster.credentials(), try cluster.credentials())
    }

    private func key(
        from sender: ClusterCredentials, boot: UInt32 = 3, to receiver: ClusterCredentials,
        receiverBoot: UInt32 = 7, workedOutBy owner: ClusterCredentials, with peer: ClusterCredentials,
        secret: ClusterSecret? = nil
    ) throws -> DatagramKey {
        DatagramKey(
            shared: try #require(owner.key.sharedSecret(with: peer.id)), secret: secret ?? owner.secret,
            cluster: owner.cluster, sender: sender.id, senderBoot: boot, receiver: receiver.id,
            receiverBoot: receiverBoot)
    }

    private func sealed(_ messages: [UInt8], counter: UInt64 = 9) throws -> [UInt8] {
        try key(from: one, to: other, workedOutBy: one, with: other).seal(
            messages, sender: one.tag, boot: 3, counter: counter, random: [UInt8](repeating: 5, count: 16))
    }

    @Test("both sides work out the same key, and the head tells who and when")
    func opens() throws {
        let messages = GossipMessage.ping(77).encoded
        let datagram = try sealed(messages)
        let head = try #require(DatagramHead(datagram))
        #expect(head.sender == one.tag)
        #expect(head.boot == 3)
        #expect(head.counter == 9)
        #expect(datagram.count == messages.count + DatagramHead.overhead)
        #expect(try key(from: one, to: other, workedOutBy: other, with: one).open(datagram) == messages)
    }

    @Test("no bit of a datagram can be changed, the head's included")
    func bitFlips() throws {
        let datagram = try sealed(GossipMessage.ping(77).encoded)
        let key = try key(from: one, to: other, workedOutBy: other, with: one)
        for bit in 0..<datagram.count * 8 {
            var changed = datagram
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(key.open(changed) == nil, "bit \(bit)")
        }
        for count in 0..<datagram.count { #expect(key.open(Array(datagram.prefix(count))) == nil) }
        #expect(key.open(datagram + [0]) == nil)
    }

    @Test("other starts, the other direction, another pair and another secret have other keys")
    func otherKeys() throws {
        let datagram = try sealed([1, 2, 3])
        let third = try cluster.credentials()
        let wrong = [
            try key(from: one, boot: 4, to: other, workedOutBy: other, with: one),
            try key(from: one, to: other, receiverBoot: 8, workedOutBy: other, with: one),
            try key(from: other, to: one, workedOutBy: other, with: one),
            try key(from: one, to: third, workedOutBy: third, with: one),
            try key(from: one, to: other, workedOutBy: other, with: one, secret: .generate()),
        ]
        for (index, key) in wrong.enumerated() { #expect(key.open(datagram) == nil, "key \(index)") }
    }

    @Test("a head is read of datagrams of this version and size only")
    func heads() throws {
        let datagram = try sealed([1])
        #expect(DatagramHead(datagram) != nil)
        #expect(DatagramHead([2] + datagram.dropFirst()) == nil)
        #expect(DatagramHead(Array(datagram.dropLast())) == nil)
        #expect(DatagramHead([1] + [UInt8](repeating: 0, count: 1231)) != nil)
        #expect(DatagramHead([1] + [UInt8](repeating: 0, count: 1232)) == nil)
    }
}
