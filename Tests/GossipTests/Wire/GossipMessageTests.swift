import Content
import Gossip
import GossipSimulation
import Testing

@Suite("Messages of datagrams")
struct GossipMessageTests {
    private func examples() throws -> [GossipMessage] {
        let (tag, id) = (NodeTag(rawValue: 0x0123_4567_89ab_cdef), InventoryID(rawValue: 42))
        let tags = (0..<8).map { NodeTag(rawValue: $0) }
        return [
            .ping(1), .ack(.max), .pingRequest(3, target: tag), .nack(4),
            .accusation(tag, Incarnation(boot: 5, refutations: 6), accuser: NodeTag(rawValue: 7)),
            .card(try Cards().card()), .cardRequest(tag), .headHint(tag, 8),
            .head(epoch: 9, sequence: 10, hash: 11, count: 12), .pull(tag, epoch: 13, after: 14),
            .operations(
                tag, epoch: 15, after: 16, [.init(id: 17, isAdd: true), .init(id: 18, isAdd: false)]),
            .operations(tag, epoch: 15, after: 16, []),
            .tooOld(tag, epoch: 19, sequence: 20), .ask(21, id, wantsLease: true, doubting: nil),
            .ask(21, id, wantsLease: true, doubting: tag),
            .ask(21, id, wantsLease: false, doubting: nil),
            .owner(22, lease: .held, holders: tags, fetchers: []),
            .release(id), .granted(id, tag),
        ]
    }

    @Test("every message comes out as it went in, alone and behind the others")
    func roundTrips() throws {
        let messages = try examples()
        for message in messages { #expect(try GossipMessage.decode(message.encoded) == [message]) }
        #expect(try GossipMessage.decode(messages.flatMap(\.encoded)) == messages)
    }

    @Test("types that are not known, and bytes behind a known body, are passed over")
    func laterVersions() throws {
        let longer: [UInt8] = [1, 6, 1, 0, 0, 0, 99, 99]
        let unknown: [UInt8] = [31, 3, 1, 2, 3]
        #expect(
            try GossipMessage.decode(unknown + longer + GossipMessage.ack(2).encoded) == [.ping(1), .ack(2)])
    }

    @Test("a record of a later version costs the messages beside it nothing")
    func laterRecord() throws {
        var card = GossipMessage.card(try Cards().card()).encoded
        let version = try #require(card.firstIndex(of: MemberRecord.kind)) - 1
        #expect(card[version] == MemberRecord.version)
        card[version] = 2
        #expect(try GossipMessage.decode(card + GossipMessage.ack(2).encoded) == [.ack(2)])
    }

    @Test("bytes that nobody wrote are read or refused, never worse", arguments: 0..<10 as Range<UInt64>)
    func noise(seed: UInt64) throws {
        var random = SimulationRandom(seed: seed)
        let good = try examples().flatMap(\.encoded)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0...Int.random(in: 0..<8, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = .random(
                    in: .min ... .max, using: &random)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            for message in (try? GossipMessage.decode(bytes)) ?? [] {
                // What is read can be written and read again.
                #expect(try GossipMessage.decode(message.encoded) == [message], "seed \(seed)")
            }
        }
    }
}

/// A node's cards, for tests.
struct Cards {
    let cluster: TestCluster
    let credentials: ClusterCredentials

    init(_ cluster: TestCluster? = nil) throws {
        self.cluster = try cluster ?? TestCluster()
        credentials = try self.cluster.credentials()
    }

    func record(
        _ incarnation: Incarnation = Incarnation(boot: 1), isLeaving: Bool = false, endpoint: Endpoint? = nil,
        epoch: UInt64 = 1, cluster id: ClusterID? = nil, extra: [UInt8] = [], key: NodeKey? = nil
    ) throws -> MemberRecord {
        MemberRecord(
            cluster: id ?? cluster.id, incarnation: incarnation, isLeaving: isLeaving, protocols: 1...1,
            endpoints: [try endpoint ?? #require(Endpoint(parsing: "192.0.2.1:4891"))],
            inventoryEpoch: epoch, software: "edgenode 1", extra: extra, key: key ?? credentials.key)
    }

    func card(_ incarnation: Incarnation = Incarnation(boot: 1), isLeaving: Bool = false) throws -> MemberCard
    {
        MemberCard(
            record: try record(incarnation, isLeaving: isLeaving), certificate: credentials.certificate)
    }
}
