import Foundation
import Gossip
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Gossip in service", .timeLimit(.minutes(1)))
struct GossipServiceTests {
    /// The way over TCP, without TCP.
    private final class Switchboard: Sendable {
        let services = Mutex<[Endpoint: GossipService]>([:])

        func transport(of node: NodeID) -> Line { Line(board: self, node: node) }
    }

    private struct Line: ExchangeTransport {
        let board: Switchboard
        let node: NodeID

        func exchange(
            _ bytes: [UInt8], with endpoint: Endpoint, expecting: NodeID?
        ) async throws(ExchangeFailure) -> (NodeID, [UInt8]) {
            guard let service = board.services.withLock({ $0[endpoint] }) else {
                throw ExchangeFailure("nobody listens at \(endpoint)")
            }
            return (service.credentials.id, await service.answerExchange(bytes, from: node))
        }
    }

    /// Waits for events of one service.
    private final class Watch: Sendable {
        let stream: AsyncStream<GossipEvent>

        init(_ service: GossipService) {
            let (stream, continuation) = AsyncStream.makeStream(of: GossipEvent.self)
            self.stream = stream
            service.observe { continuation.yield($0) }
        }

        func wait(for fits: (GossipEvent) -> Bool) async {
            for await event in stream where fits(event) { return }
        }
    }

    private let cluster: TestCluster
    private let board = Switchboard()
    private let group = MultiThreadedEventLoopGroup.singleton
    private let folder = FileManager.default.temporaryDirectory.appending(path: "gossip-\(UUID().uuidString)")

    init() throws {
        cluster = try TestCluster()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func bind(
        _ credentials: ClusterCredentials, _ name: String, seeds: [Endpoint] = []
    ) async throws -> GossipService {
        // A port that nobody had a moment ago.
        let probe = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(probe.localAddress?.port)
        try await probe.close()
        let endpoint = try #require(Endpoint(host: "127.0.0.1", port: UInt16(port)))
        var configuration = GossipConfiguration(
            endpoints: [endpoint], seeds: seeds.map { .init(endpoint: $0) }, software: "test")
        // A machine that has other things to do must not look like a node that is away.
        configuration.probeInterval = .seconds(5)
        configuration.probeTimeout = .seconds(4)
        configuration.ownerTimeout = .seconds(10)
        configuration.leaseTime = .seconds(60)
        var logger = Logger(label: "gossip")
        logger.logLevel = .critical
        let service = try await GossipService.bind(
            configuration, credentials: credentials, trust: cluster.trust(), host: "127.0.0.1", port: port,
            stateFile: folder.appending(path: name).path, group: group, logger: logger)
        board.services.withLock { $0[endpoint] = service }
        return service
    }

    private func begin(_ service: GossipService) {
        service.begin(with: board.transport(of: service.credentials.id))
    }

    @Test("two nodes on loopback meet, tell what they hold, share leases, and part")
    func twoNodes() async throws {
        let one = try await bind(try cluster.credentials(), "one")
        let other = try await bind(try cluster.credentials(), "other", seeds: [one.endpoint])
        let (first, second) = (Watch(one), Watch(other))
        let id = InventoryID(rawValue: 4711)
        // Before the start: nothing is lost.
        one.hold(add: [id])
        #expect(await one.ask(id, wantsLease: true).lease == .unreachable)
        begin(one)
        begin(other)
        await second.wait { $0 == .joined(one.credentials.id) }
        await first.wait { $0 == .joined(other.credentials.id) }

        await second.wait { $0 == .inventoryChanged(one.credentials.id) }
        #expect(await other.holders(of: id) == [one.credentials.id])
        #expect(one.inventoryCount == 1)

        let wanted = InventoryID(rawValue: 4712)
        guard case .granted = await one.ask(wanted, wantsLease: true).lease else {
            Issue.record("the first who asks has no lease")
            return
        }
        let answer = await other.ask(wanted, wantsLease: true)
        #expect(answer.lease == .held(by: one.credentials.id))
        #expect(answer.fetchers == [one.credentials.id])

        #expect(other.members.map(\.node) == [one.credentials.id])
        #expect(one.counters.datagramsIn > 0)
        #expect(one.counters.datagramsOut > 0)
        #expect(one.counters.drops.forged == 0)

        await other.stop()
        await first.wait { $0 == .left(other.credentials.id) }
        await one.stop()
        #expect(await one.ask(id, wantsLease: true).lease == .unreachable)
    }

    @Test("a start is counted on disk before it is used, in a file that only its owner reads")
    func boots() async throws {
        let credentials = try cluster.credentials()
        let service = try await bind(credentials, "state")
        let path = folder.appending(path: "state").path
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let boot = service.card.record.incarnation.boot
        // Not begun, not stopped in order: the power fails.
        let again = try await bind(credentials, "state")
        #expect(again.card.record.incarnation.boot == boot + 1)
        await service.stop()
        await again.stop()
    }

    @Test("datagrams of strangers are counted and nothing else")
    func strangers() async throws {
        let service = try await bind(try cluster.credentials(), "lonely")
        begin(service)
        let socket = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: service.port)
        // What comes before it listens is lost.
        for _ in 0..<200 where service.counters.datagramsIn < 4 {
            for size in [0, 1, 100, 1232, 2000] {
                try await socket.writeAndFlush(
                    AddressedEnvelope(remoteAddress: target, data: ByteBuffer(repeating: 1, count: size)))
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let counters = service.counters
        #expect(counters.drops.strange >= 2)
        #expect(counters.drops.malformed >= 2)
        #expect(counters.datagramsOut == 0)
        try await socket.close()
        await service.stop()
    }

    @Test("an address that cannot be sent to costs its datagram, not the socket")
    func sendErrors() async throws {
        let inbox = Inbox()
        let (arrivals, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        inbox.receiver.withLock { $0 = Inbox.Receiver { bytes, _ in continuation.yield(bytes) } }
        let socket = try await DatagramSocket.bind(
            host: "127.0.0.1", port: 0, loop: group.next(), inbox: inbox)
        // No broadcast without permission, no route from loopback, another family: each is an error of its own.
        for text in ["255.255.255.255:9", "192.0.2.1:9", "[2001:db8::1]:9"] {
            #expect(!socket.send([1], to: try #require(Endpoint(parsing: text))), "\(text)")
        }
        let own = try #require(Endpoint(host: "127.0.0.1", port: UInt16(socket.port)))
        #expect(socket.send([1, 2, 3], to: own))
        for await bytes in arrivals {
            #expect(bytes == [1, 2, 3])
            break
        }
        try await socket.channel.close()
    }

    @Test("a state file of noise costs what was kept, not the start")
    func damagedState() async throws {
        try Data((0..<500).map { UInt8(truncatingIfNeeded: $0 * 7) }).write(
            to: folder.appending(path: "noise"))
        let service = try await bind(try cluster.credentials(), "noise")
        #expect(service.card.record.incarnation.boot >= 1)
        await service.stop()
    }
}
