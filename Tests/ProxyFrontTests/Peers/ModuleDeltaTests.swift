import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import NIOCore
import PeerExchange
import ProxyFront
import Synchronization
import Testing

/// A module version that is put together from its relatives and the chunks they lack, over real connections.
@Suite("The next version from a peer", .serialized) struct ModuleDeltaTests {
    /// Three versions of 80 files, a few of which change with each.
    private static let versions: [(version: String, path: String, name: String, zip: [UInt8], h1: String)] =
        (0..<3).map { number in
            let version = "v1.0.\(number)"
            let files = (0..<80).map { file in
                let edition = file % 27 == 0 ? number : 0
                return TestZip.Entry(
                    "example.com/big@\(version)/file\(file).go", text(file, edition),
                    .deflatedWithDescriptor(signed: true))
            }
            let zip = TestZip(
                [TestZip.Entry("example.com/big@\(version)/go.mod", "module example.com/big\n")] + files)
            return (
                version, "/example.com/big/@v/\(version).zip", "go/example.com/big@\(version).zip",
                zip.build().bytes, zip.h1
            )
        }

    /// Go-like text of some 20 KB that compresses to a few.
    private static func text(_ file: Int, _ edition: Int) -> [UInt8] {
        var state = UInt64(file * 1000 + edition + 1)
        var lines = ["package big", ""]
        for line in 0..<400 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            lines.append("func f\(line)() int { return \(state >> 20) }")
        }
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func upstream(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        guard let version = versions.first(where: { $0.path == asked.path }) else {
            return [.send(.answer(404, "not found"))]
        }
        return [.send(asked.part(of: version.zip, etag: "\"v\""))]
    }

    private struct Site {
        let nodes: [TestNode]
        let members: [ClusterMember]
        let upstream: FaultUpstream

        /// What the second node takes from the first one.
        var moved: ExchangeCounters.Peer {
            members[1].counters.peers[members[0].id] ?? ExchangeCounters.Peer()
        }

        /// The version as the second node gives it, once the first one says that it has it.
        func next(_ number: Int, within name: String) async throws -> Got {
            let name = try ReferenceName(name)
            let id = InventoryID(reference: name, secret: members[1].credentials.secret)
            let (gossip, holder) = (members[1].gossip, members[0].id)
            try await waitUntil { await gossip.holders(of: id).contains(holder) }
            return await nodes[1].get(ModuleDeltaTests.versions[number].path)
        }
    }

    /// Two nodes; the first has all three versions, the second the first one.
    /// - Parameter isPrivate: nothing can prove the module, so that both have what they have from upstream.
    /// - Parameter needsUpstream: what the first one gives is of no use in the end.
    private func site(
        _ wrap: @escaping (StoreContent) -> any LocalContent = { $0 }, isPrivate: Bool = false,
        needsUpstream: Bool = false, _ body: (Site) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving(Self.upstream) { upstream in
            let root = try ClusterRoot()
            let roles: Roles = isPrivate ? [.private, .resolver] : []
            let first = try await ClusterMember(try root.credentials(roles: roles), seeds: [])
            let second = try await ClusterMember(try root.credentials(roles: roles), seeds: [first.seed])
            try await node(first, upstream.url, isPrivate) { one in
                let content = StoreContent(
                    store: one.store, deliveries: [one.delivery], logger: Logger(label: "test"))
                for version in Self.versions {
                    #expect(await one.get(version.path).body == version.zip)
                    try await one.waitUntilHeld(version.name)
                }
                try await first.serving(wrap(content), store: one.store) {
                    try await node(second, upstream.url, isPrivate) { two in
                        let content = StoreContent(
                            store: two.store, deliveries: [two.delivery], logger: Logger(label: "test"))
                        try await second.serving(content, store: two.store) {
                            try await second.waitUntilItSees(1)
                            let site = Site(nodes: [one, two], members: [first, second], upstream: upstream)
                            #expect(
                                try await site.next(0, within: Self.versions[0].name).body
                                    == Self.versions[0].zip)
                            try await two.waitUntilHeld(Self.versions[0].name)
                            let asked = upstream.asked.count
                            try await body(site)
                            #expect((upstream.asked.count > asked) == needsUpstream)
                        }
                    }
                }
            }
        }
    }

    private func node(
        _ member: ClusterMember, _ url: String, _ isPrivate: Bool,
        _ body: (TestNode) async throws -> Void
    ) async throws {
        var settings = TestNode.Settings(url)
        settings.authority = ScriptedAuthority(
            .sums(
                try Self.versions.map { version in
                    GoSumLine(
                        module: ModuleIdentity(
                            path: try ModulePath("example.com/big"),
                            version: try ModuleVersion(version.version)),
                        subject: .zip, hash: try #require(ModuleHash(version.h1)))
                }))
        if isPrivate {
            settings.access = AllPrivate()
            settings.go = { $0.privateModules = ModulePatterns(commaSeparated: "example.com") }
        }
        settings.peers = { NetworkReach(member.network, store: $0) }
        try await TestNode.running(settings) { node in
            // What is dated later than now is not believed.
            node.clock.advance(seconds: Int64(Date().timeIntervalSince1970) - node.clock.seconds)
            try await body(node)
        }
    }

    @Test func costsLittleMoreThanWhatHasChanged() async throws {
        try await site { site in
            let before = site.moved.bytesIn
            let got = try await site.next(1, within: Self.versions[1].name)
            #expect(got.body == Self.versions[1].zip && got.isComplete)
            let cost = site.moved.bytesIn - before
            #expect(
                Double(cost) <= 0.15 * Double(Self.versions[1].zip.count),
                "\(cost) of \(Self.versions[1].zip.count)")
            #expect(site.moved.lies == 0)
        }
    }

    @Test func theOneInBetweenToo() async throws {
        try await site { site in
            #expect(try await site.next(2, within: Self.versions[2].name).body == Self.versions[2].zip)
            try await site.nodes[1].waitUntilHeld(Self.versions[2].name)
            let before = site.moved.bytesIn
            #expect(try await site.next(1, within: Self.versions[1].name).body == Self.versions[1].zip)
            #expect(Double(site.moved.bytesIn - before) <= 0.15 * Double(Self.versions[1].zip.count))
        }
    }

    /// What a private version is only others can say while upstream is away; its bytes cost no more than those of any other.
    @Test func aPrivateOneByOthersWordToo() async throws {
        try await site(isPrivate: true) { site in
            try await site.upstream.stop()
            let before = site.moved.bytesIn
            let got = try await site.next(1, within: Self.versions[1].name)
            #expect(got.body == Self.versions[1].zip && got.isComplete, "\(got.status)")
            let cost = site.moved.bytesIn - before
            #expect(cost > 0 && Double(cost) <= 0.15 * Double(Self.versions[1].zip.count), "\(cost)")
            #expect(site.moved.lies == 0)
        }
    }

    @Test(arguments: [HostileRecipes.Kind.wrongChunks, .noChunks, .otherRecipe, .wrongHeader])
    func aPeerThatLiesAboutChunksIsNamedAndThePullSucceeds(kind: HostileRecipes.Kind) async throws {
        let lying = { (content: StoreContent) -> any LocalContent in
            HostileRecipes(content: content, kind: kind)
        }
        try await site(lying) { site in
            let got = try await site.next(1, within: Self.versions[1].name)
            #expect(got.body == Self.versions[1].zip && got.isComplete)
            #expect((site.moved.lies == 1) == (kind != .noChunks))
        }
    }

    /// The liar's own list of pieces agrees with the first of them, and then there is more than the zip has.
    @Test func aChunkListedWithTwoLengthsMakesNoMoreBytesThanThereAre() async throws {
        let known = Self.versions[0]
        let name = try ReferenceName(known.name)
        let isAsked = OneShot<Void>()
        let lying = { (content: StoreContent) -> any LocalContent in
            TwoLengths(content: content, name: name, known: Digest(of: known.zip), isAsked: isAsked)
        }
        try await site(lying, needsUpstream: true) { site in
            // The first pull may end at what proves the bytes wrong; none after it does.
            _ = try await site.next(1, within: Self.versions[1].name)
            try await waitUntil {
                let got = await site.nodes[1].get(Self.versions[1].path)
                return got.isComplete && got.body == Self.versions[1].zip
            }
            #expect(site.moved.lies > 0)
            #expect(isAsked.current != nil, "the recipe was followed up to the long chunk")
        }
    }

    /// Holds a zip of one piece that it made up, whose recipe lists a chunk twice, the second time shorter than it is.
    struct TwoLengths: LocalContent {
        let content: StoreContent
        /// A zip that the other node has.
        let name: ReferenceName
        let known: Digest
        let isAsked: OneShot<Void>
        private static let size = 1 << 20
        private static let long = [UInt8](repeating: 7, count: 600 << 10)

        struct Body: LocalBody {
            let facts: ContentFacts
            let transfer: TransferKey
            let bytes: [UInt8]
            var isComplete: Bool { true }
            var isFed: Bool { false }
            var present: [Range<Int64>] { [0..<Int64(bytes.count)] }
            func read(_ range: Range<Int64>) async throws -> [UInt8] {
                Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
            }
            func waitForMore(than count: Int64, within patience: Duration) async {}
        }

        /// A chunk of the known zip, often enough to be a good part of this one, and the long one twice.
        private func made(
            for peer: PeerIdentity
        ) async -> (bytes: [UInt8], chunks: [ChunkReference])? {
            let ask = ContentAsk(.reference(name))
            guard let recipe = await content.recipe(of: known, ask: ask, for: peer),
                let chunk = recipe.chunks.max(by: { $0.length < $1.length }), case .id(let id) = chunk.name,
                let part = await content.chunks([id], of: known, ask: ask, for: peer)[0]
            else { return nil }
            let times = (300 << 10) / part.count + 1
            let last = Self.size - times * part.count - Self.long.count
            let bytes = Array([[UInt8]](repeating: part, count: times).joined()) + Self.long + Self.long
            let again = [Self.long.count, last].map {
                ChunkReference(name: .id(ChunkID(of: Self.long)), length: $0)
            }
            let chunks = [ChunkReference](repeating: chunk, count: times) + again
            return (Array(bytes.prefix(Self.size)), chunks)
        }

        func find(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult {
            let found = await content.find(ask, for: peer)
            guard case .held(let body) = found, body.facts.digest != known,
                let made = await made(for: peer)
            else {
                return found
            }
            var facts = body.facts
            facts.digest = Digest(of: made.bytes)
            facts.size = Int64(made.bytes.count)
            return .held(Body(facts: facts, transfer: .digest(Digest(of: made.bytes)), bytes: made.bytes))
        }

        func statement(for name: ReferenceName, for peer: PeerIdentity) async -> Reference? { nil }

        func recipe(of digest: Digest, ask: ContentAsk, for peer: PeerIdentity) async -> Recipe? {
            guard digest != known, let made = await made(for: peer) else { return nil }
            return try? Recipe(
                blob: digest, size: Int64(Self.size), chunks: made.chunks, entries: [],
                segments: [.chunks(count: made.chunks.count)])
        }

        func chunks(
            _ ids: [ChunkID], of digest: Digest, ask: ContentAsk, for peer: PeerIdentity
        ) async -> [[UInt8]?] {
            isAsked.fulfil(())
            return ids.map { $0 == ChunkID(of: Self.long) ? Self.long : nil }
        }
    }

    /// Lies about recipes and chunks only.
    struct HostileRecipes: LocalContent {
        enum Kind: Sendable { case wrongChunks, noChunks, otherRecipe, wrongHeader }
        let content: StoreContent
        let kind: Kind

        func find(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult {
            await content.find(ask, for: peer)
        }

        func statement(for name: ReferenceName, for peer: PeerIdentity) async -> Reference? { nil }

        func recipe(of digest: Digest, ask: ContentAsk, for peer: PeerIdentity) async -> Recipe? {
            guard let recipe = await content.recipe(of: digest, ask: ask, for: peer) else { return nil }
            switch kind {
            case .wrongChunks, .noChunks: return recipe
            case .otherRecipe:
                return try? Recipe(
                    blob: Digest(.sha256, of: [1]), size: recipe.size, chunks: recipe.chunks,
                    entries: recipe.entries,
                    segments: recipe.segments)
            case .wrongHeader:
                var entries = recipe.entries
                entries[0].crc32 ^= 1
                return try? Recipe(
                    blob: digest, size: recipe.size, chunks: recipe.chunks, entries: entries,
                    segments: recipe.segments)
            }
        }

        func chunks(
            _ ids: [ChunkID], of digest: Digest, ask: ContentAsk, for peer: PeerIdentity
        ) async -> [[UInt8]?] {
            let chunks = await content.chunks(ids, of: digest, ask: ask, for: peer)
            switch kind {
            case .wrongChunks: return chunks.map { $0.map { [$0[0] ^ 1] + $0.dropFirst() } }
            case .noChunks: return chunks.map { _ in nil }
            case .otherRecipe, .wrongHeader: return chunks
            }
        }
    }
}
