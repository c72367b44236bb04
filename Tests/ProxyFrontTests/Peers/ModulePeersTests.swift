import ChunkStore
import Content
import Gossip
import NIOCore
import ProxyFront
import Testing

/// Module files between nodes: what a peer holds is not asked of upstream, and is believed as little as upstream.
@Suite("Modules from peers") struct ModulePeersTests {
    private static let module = TestModule(filler: 400_000)

    private static func site(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        switch asked.path {
        case module.zipPath: [.send(asked.part(of: module.zip, etag: "\"v\""))]
        case module.modPath: [.send(.answer(200, module.mod))]
        case module.infoPath: [.send(.answer(200, module.info))]
        case module.listPath: [.send(.answer(200, "v1.0.0\n"))]
        default: [.send(.answer(404, "not found"))]
        }
    }

    /// Runs `count` nodes of one mesh in front of one upstream.
    private func nodes(
        _ count: Int, on mesh: PeerMesh, _ url: String,
        settings change: (inout TestNode.Settings) throws -> Void = { _ in },
        with started: [TestNode] = [], _ body: ([TestNode]) async throws -> Void
    ) async throws {
        guard started.count < count else { return try await body(started) }
        let number = started.count + 1
        var settings = TestNode.Settings(url)
        settings.authority = ScriptedAuthority(.sums(try Self.module.sums))
        settings.peers = { _ in mesh.reach(of: number) }
        try change(&settings)
        try await TestNode.running(settings) { node in
            mesh.add(number, node.store, [node.delivery])
            try await nodes(count, on: mesh, url, settings: change, with: started + [node], body)
        }
    }

    private func site(
        _ script: @escaping FaultUpstream.Script = Self.site, nodes count: Int = 2,
        settings: (inout TestNode.Settings) throws -> Void = { _ in },
        _ body: (PeerMesh, FaultUpstream, [TestNode]) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving(script) { upstream in
            let mesh = PeerMesh()
            try await nodes(count, on: mesh, upstream.url, settings: settings) { nodes in
                try await body(mesh, upstream, nodes)
            }
        }
    }

    private var paths: [(path: String, body: [UInt8])] {
        [
            (Self.module.infoPath, Array(Self.module.info.utf8)), (Self.module.modPath, Self.module.mod),
            (Self.module.zipPath, Self.module.zip),
        ]
    }

    @Test func whatOneNodeHoldsTheNextOneGetsFromIt() async throws {
        try await site { mesh, upstream, nodes in
            for (path, body) in paths { #expect(await nodes[0].get(path).body == body) }
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            let asked = upstream.asked.count
            for (path, body) in paths {
                let (response, _) = await nodes[1].response(path)
                #expect(response.servedFrom == .peer, "\(path)")
                let got = await Got.reading(response)
                #expect(got.body == body && got.isComplete, "\(path)")
            }
            #expect(upstream.asked.count == asked)
            try await nodes[1].waitUntilHeld(Self.module.zipName)
            let reference = try #require(
                try await nodes[1].store.reference(ReferenceName(Self.module.zipName)))
            #expect(reference.verified == .verified && reference.h1 == Self.module.h1)
            #expect(reference.access == .public && reference.origin == "peer node 1")
        }
    }

    @Test func aNodeWithoutUpstreamServesWhatAPeerHolds() async throws {
        try await site { mesh, upstream, nodes in
            for (path, _) in paths { _ = await nodes[0].get(path) }
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            try await upstream.stop()
            for (path, body) in paths { #expect(await nodes[1].get(path).body == body, "\(path)") }
        }
    }

    @Test func aBodyOnItsWayToOneNodeIsFetchedOnce() async throws {
        let gate = FaultUpstream.Gate()
        let zip = Self.module.zip
        let script: FaultUpstream.Script = { asked in
            guard asked.path == Self.module.zipPath else { return Self.site(asked) }
            return [
                .send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(100_000)), .wait(gate),
                .send(Array(zip.dropFirst(100_000))),
            ]
        }
        try await site(script) { mesh, upstream, nodes in
            async let first = nodes[0].get(Self.module.zipPath)
            try await waitUntil { upstream.count(Self.module.zipPath) == 1 }
            let (response, _) = await nodes[1].response(Self.module.zipPath)
            #expect(response.servedFrom == .peer)
            gate.open()
            #expect(await Got.reading(response).body == zip)
            #expect(await first.body == zip)
            #expect(upstream.count(Self.module.zipPath) == 1)
        }
    }

    @Test func whenTheFetchingNodeDiesUpstreamBringsTheRest() async throws {
        let gate = FaultUpstream.Gate()
        let zip = Self.module.zip
        let script: FaultUpstream.Script = { asked in
            guard asked.path == Self.module.zipPath, asked.count == 1 else { return Self.site(asked) }
            return [
                .send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(200_000)), .wait(gate),
                .close,
            ]
        }
        try await site(script) { mesh, upstream, nodes in
            async let first = nodes[0].get(Self.module.zipPath)
            try await waitUntil { upstream.count(Self.module.zipPath) == 1 }
            let (response, _) = await nodes[1].response(Self.module.zipPath)
            guard case .stream(_, let producer) = response.body else {
                Issue.record("no stream")
                return
            }
            var body = Got.bytes(of: try #require(try await producer.next()))
            mesh.change(1) { $0.isStopped = true }
            while let part = try await producer.next() { body += Got.bytes(of: part) }
            #expect(body == zip)
            #expect(mesh.blamed.isEmpty)
            gate.open()
            _ = await first
        }
    }

    @Test func upstreamsOtherBytesAreNeverMixedWithThoseOfAPeer() async throws {
        // The same version by another builder: other bytes, the same sum.
        let other = TestModule(filler: 400_000, stored: true)
        let script: FaultUpstream.Script = { asked in
            guard asked.path == Self.module.zipPath, asked.count > 1 else { return Self.site(asked) }
            return [.send(.answer(200, other.zip))]
        }
        try await site(script) { mesh, upstream, nodes in
            _ = await nodes[0].get(Self.module.zipPath)
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            mesh.change(1) { $0.piecesLeft = 5 }
            let first = await nodes[1].get(Self.module.zipPath)
            #expect(!first.isComplete || first.body == other.zip)
            let second = await nodes[1].get(Self.module.zipPath)
            #expect(second.isComplete && second.body == other.zip)
            #expect(mesh.blamed.isEmpty)
        }
    }

    @Test func aPeerThatLiesCostsOneBodyAtMostAndIsNamed() async throws {
        try await site { mesh, upstream, nodes in
            for (path, _) in paths { _ = await nodes[0].get(path) }
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            mesh.change(1) { $0.lies = true }
            #expect(await nodes[1].get(Self.module.modPath).body == Self.module.mod)
            #expect(mesh.blamed.count == 1)
            let first = await nodes[1].get(Self.module.zipPath)
            #expect(!first.isComplete)
            let second = await nodes[1].get(Self.module.zipPath)
            #expect(second.isComplete && second.body == Self.module.zip)
            #expect(mesh.blamed.count == 2)
            #expect(mesh.blamed.allSatisfy { $0.hasPrefix("peer node 1: ") })
        }
    }

    @Test func unverifiedContentIsGivenToNobody() async throws {
        let away = { (settings: inout TestNode.Settings) in
            settings.authority = ScriptedAuthority(.unreachable("away"))
        }
        try await site(settings: away) { mesh, upstream, nodes in
            for (path, _) in paths { _ = await nodes[0].get(path) }
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            for (path, body) in paths { #expect(await nodes[1].get(path).body == body) }
            // What has nothing to prove is shared all the same.
            #expect(mesh.given(by: 1) == 1)
            #expect(upstream.count(Self.module.zipPath) == 2 && upstream.count(Self.module.modPath) == 2)
        }
    }

    // MARK: without a database

    private func privately(
        nodes count: Int, roles: Roles = .private,
        _ body: (PeerMesh, FaultUpstream, [TestNode]) async throws -> Void
    ) async throws {
        let insiders = AllPrivate()
        let secluded = { (settings: inout TestNode.Settings) in
            settings.access = insiders
            settings.go = { $0.privateModules = ModulePatterns(commaSeparated: "example.com") }
        }
        try await site(nodes: count, settings: secluded) { mesh, upstream, nodes in
            for number in 1...count { mesh.change(number) { $0.roles = roles } }
            try await body(mesh, upstream, nodes)
        }
    }

    @Test func aPeersBytesAloneMakeNoPin() async throws {
        try await privately(nodes: 2) { mesh, upstream, nodes in
            _ = await nodes[0].get(Self.module.zipPath)
            try await nodes[0].waitUntilHeld(Self.module.zipName)
            #expect(await nodes[1].get(Self.module.zipPath).body == Self.module.zip)
            #expect(upstream.count(Self.module.zipPath) == 2)
            try await upstream.stop()
            #expect(await nodes[1].get(Self.module.modPath).status == 503)
        }
    }

    @Test func twoNodesThatAgreeAreBelievedWhileUpstreamIsAway() async throws {
        try await privately(nodes: 3) { mesh, upstream, nodes in
            for node in nodes.prefix(2) {
                for path in [Self.module.zipPath, Self.module.modPath, Self.module.listPath] {
                    _ = await node.get(path)
                }
                try await node.waitUntilHeld(Self.module.zipName)
            }
            try await upstream.stop()
            #expect(await nodes[2].get(Self.module.zipPath).body == Self.module.zip)
            #expect(await nodes[2].get(Self.module.modPath).body == Self.module.mod)
            #expect(await nodes[2].get(Self.module.listPath).text == "v1.0.0\n")
            try await nodes[2].waitUntilHeld(Self.module.zipName)
            let held = try #require(try await nodes[2].store.reference(ReferenceName(Self.module.zipName)))
            #expect(held.verified == .unverified && held.access == .private)
            let pin = try ReferenceName("gosum/example.com/toy@v1.0.0.zip")
            #expect(try await nodes[2].store.reference(pin) == nil)
        }
    }

    @Test func aNodeWithoutTheRoleGetsNothingPrivate() async throws {
        try await privately(nodes: 3, roles: []) { mesh, upstream, nodes in
            for node in nodes.prefix(2) {
                _ = await node.get(Self.module.zipPath)
                try await node.waitUntilHeld(Self.module.zipName)
            }
            try await upstream.stop()
            #expect(await nodes[2].get(Self.module.zipPath).status == 503)
            #expect(mesh.given(by: 1) == 0 && mesh.given(by: 2) == 0)
        }
    }
}

/// Lets everybody have private content.
struct AllPrivate: AccessControl {
    func admit(_ request: Request, to resource: AccessResource) -> AccessAnswer {
        .now(.success(Admission(user: "insider", includesPrivate: true)))
    }
}
