import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import PeerExchange
import ProxyFront
import Testing

/// Whole nodes with real gossip and real connections on loopback.
@Suite("Nodes of a real cluster", .serialized) struct RealClusterTests {
    private let image = TestImage("cluster", layerSizes: [5_000_000, 3000])
    private let insider: Headers = ["Authorization": "insider"]
    private static let secret = UpstreamCredential.basic(user: "node", password: "pw")

    private struct Site: Sendable {
        let nodes: [RegistryNode]
        let members: [ClusterMember]
        let registry: StandInRegistry
        let root: ClusterRoot
    }

    private func site(
        _ count: Int, secret: UpstreamCredential? = nil, roles: Roles = [], oldestList: Duration? = nil,
        wrap: @escaping @Sendable (Int, StoreContent) -> any LocalContent = { $1 },
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        let registry = StandInRegistry(nodeCredential: Self.secret)
        registry.change("quay.io/team/app") { shelf in
            image.add(to: &shelf, tags: ["1"])
            shelf.secret = secret
        }
        let root = try ClusterRoot()
        try await add(
            Site(nodes: [], members: [], registry: registry, root: root), count, roles, oldestList, wrap
        ) { site in
            for member in site.members { try await member.waitUntilItSees(count - 1) }
            try await body(site)
        }
    }

    private func add(
        _ site: Site, _ count: Int, _ roles: Roles, _ oldestList: Duration?,
        _ wrap: @escaping @Sendable (Int, StoreContent) -> any LocalContent,
        _ body: @escaping @Sendable (Site) async throws -> Void
    ) async throws {
        guard site.nodes.count < count else { return try await body(site) }
        let member = try await ClusterMember(
            try site.root.credentials(roles: roles), seeds: site.members.prefix(1).map(\.seed),
            oldestList: oldestList)
        let settings = try RegistryNode.Settings.with {
            $0.access = ScriptedAccess(insiders: ["insider"])
            $0.peers = { NetworkReach(member.network, store: $0) }
        }
        try await RegistryNode.running(site.registry, settings) { node in
            // Statements are held against the machine's clock.
            node.clock.advance(seconds: Int64(Date().timeIntervalSince1970) - node.clock.seconds)
            let content = StoreContent(
                store: node.store, deliveries: [node.delivery], logger: Logger(label: "test"))
            let number = site.nodes.count + 1
            try await member.serving(wrap(number, content), store: node.store) {
                let next = Site(
                    nodes: site.nodes + [node], members: site.members + [member], registry: site.registry,
                    root: site.root)
                try await add(next, count, roles, oldestList, wrap, body)
            }
        }
    }

    private var layer: String { "/v2/quay.io/team/app/blobs/\(image.layerDigest())" }

    @Test func whatOneNodePulledTheNextOnePullsFromIt() async throws {
        try await site(2) { site in
            try await site.nodes[0].pull("quay.io/team/app", "1", image)
            try await site.members[1].waitUntilItKnows(image.layerDigest(), at: site.members[0].id)
            try await site.members[1].waitUntilItKnows(image.digest, at: site.members[0].id)
            site.registry.forgetAsked()
            let sent = site.registry.sent
            try await site.nodes[1].pull("quay.io/team/app", "1", image)
            #expect(site.registry.asked == ["HEAD quay.io/team/app:1 anonymous"])
            #expect(site.registry.sent == sent)
            let moved = site.members[1].counters.peers[site.members[0].id]
            #expect(moved?.bytesIn ?? 0 >= 5_000_000)
        }
    }

    @Test func withUpstreamDeadAPullSucceedsFromPeers() async throws {
        try await site(3) { site in
            for node in site.nodes.prefix(2) { try await node.pull("quay.io/team/app", "1", image) }
            for member in site.members.prefix(2) {
                try await site.members[2].waitUntilItKnows(image.layerDigest(), at: member.id)
                try await site.members[2].waitUntilItKnows(image.digest, at: member.id)
            }
            site.registry.goDown()
            try await site.nodes[2].pull("quay.io/team/app", "1", image)
        }
    }

    @Test func whatIsOnItsWayIsFetchedOnceForAll() async throws {
        let gate = FaultUpstream.Gate()
        try await site(3) { site in
            site.registry.fail { $0.gate = gate }
            async let first = site.nodes[0].ask(layer)
            try await waitUntil { site.registry.count("GET blob") == 1 }
            async let second = site.nodes[1].ask(layer)
            async let third = site.nodes[2].ask(layer)
            try await waitUntil {
                site.nodes[1].delivery.inFlight.count + site.nodes[2].delivery.inFlight.count == 2
            }
            gate.open()
            for got in await [first, second, third] {
                #expect(got.isComplete && got.body == image.layers[0])
            }
            #expect(site.registry.count("GET blob") == 1)
        }
    }

    @Test func aConsistentLieOfTheFirstNodeCostsOneBodyAndConvictsIt() async throws {
        try await site(2, wrap: LyingContent.ofFirst) { site in
            _ = await site.nodes[0].ask(layer)
            try await site.nodes[0].waitUntilQuiet()
            try await site.members[1].waitUntilItKnows(image.layerDigest(), at: site.members[0].id)
            let first = await site.nodes[1].ask(layer)
            #expect(!first.isComplete)
            let second = await site.nodes[1].ask(layer)
            #expect(second.isComplete && second.body == image.layers[0])
            #expect(site.members[1].counters.peers[site.members[0].id]?.lies == 1)
        }
    }

    @Test func withAnOldRevocationListNothingPrivateTravelsUntilThereIsANewOne() async throws {
        try await site(2, secret: Self.secret, roles: .private, oldestList: .seconds(3600)) { site in
            let (first, second) = (site.nodes[0], site.nodes[1])
            try await first.pull("quay.io/team/app", "1", image, headers: insider)
            try await site.members[1].waitUntilItKnows(image.layerDigest(), at: site.members[0].id)
            // There is no list, then there is one of last year, and then one of now.
            for (number, age) in [(UInt64(1), 31_536_000.0), (2, 0)] {
                let sent = site.registry.sent
                let small = try ask(image.layerDigest(1))
                #expect(await site.members[1].network.fetchWhole(small, limit: 1 << 20) == nil)
                #expect(site.registry.sent == sent)
                let list = site.root.revocations(number, issued: Date().addingTimeInterval(-age))
                for member in site.members {
                    member.gossip.take(list)
                    try await waitUntil { member.gossip.revocationNumber == number }
                }
            }
            let sent = site.registry.sent
            let got = await second.ask(layer, headers: insider)
            #expect(got.isComplete && got.body == image.layers[0])
            #expect(site.registry.sent == sent)
        }
    }

    private func ask(_ digest: Digest) throws -> ContentAsk {
        ContentAsk(.blob(digest), under: try ReferenceName("oci/quay.io/team/app@\(digest)"))
    }

    @Test func aPrivateLayerGoesToTheRoleAndTheRepositoryOnly() async throws {
        for (roles, comesFromPeer) in [(Roles.private, true), (Roles(), false)] {
            try await site(2, secret: Self.secret, roles: roles) { site in
                try await site.nodes[0].pull("quay.io/team/app", "1", image, headers: insider)
                try await site.members[1].waitUntilItKnows(image.layerDigest(), at: site.members[0].id)
                #expect(await site.nodes[1].ask(layer).status == 401)
                let elsewhere = "/v2/quay.io/other/app/blobs/\(image.layerDigest())"
                #expect(await site.nodes[1].ask(elsewhere, headers: insider).status == 404)
                let sent = site.registry.sent
                let got = await site.nodes[1].ask(layer, headers: insider)
                #expect(got.isComplete && got.body == image.layers[0])
                #expect((site.registry.sent == sent) == comesFromPeer)
            }
        }
    }
}

/// Gives one wrong byte in every body, the same each time.
private struct LyingContent: LocalContent {
    let content: StoreContent

    @Sendable static func ofFirst(_ number: Int, _ content: StoreContent) -> any LocalContent {
        if number == 1 { return LyingContent(content: content) }
        return content
    }

    private struct Body: LocalBody {
        let body: any LocalBody
        var facts: ContentFacts { body.facts }
        var transfer: TransferKey { body.transfer }
        var isComplete: Bool { body.isComplete }
        var isFed: Bool { body.isFed }
        var present: [Range<Int64>] { body.present }

        func read(_ range: Range<Int64>) async throws -> [UInt8] {
            var bytes = try await body.read(range)
            if range.contains(1000) { bytes[Int(1000 - range.lowerBound)] ^= 1 }
            return bytes
        }

        func waitForMore(than count: Int64, within patience: Duration) async {
            await body.waitForMore(than: count, within: patience)
        }
    }

    func find(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult {
        let found = await content.find(ask, for: peer)
        if case .held(let body) = found { return .held(Body(body: body)) }
        return found
    }

    func statement(for name: ReferenceName, for peer: PeerIdentity) async -> Reference? {
        await content.statement(for: name, for: peer)
    }

    func recipe(of digest: Digest, ask: ContentAsk, for peer: PeerIdentity) async -> Recipe? { nil }

    func chunks(
        _ ids: [ChunkID], of digest: Digest, ask: ContentAsk, for peer: PeerIdentity
    ) async -> [[UInt8]?] { ids.map { _ in nil } }
}
