import ChunkStore
import Content
import ProxyFront
import Testing

@Suite struct VerificationTests {
    private static let module = TestModule()

    private func onModule(
        _ authority: any SumAuthority, zip: [UInt8] = module.zip,
        go: @escaping @Sendable (inout GoModuleConfiguration) -> Void = { _ in },
        _ body: (TestNode, FaultUpstream) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving { asked in
            asked.path == Self.module.zipPath
                ? [.send(.answer(200, zip))] : [.send(.answer(200, Self.module.mod))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.authority = authority
            settings.go = go
            try await TestNode.running(settings) { try await body($0, upstream) }
        }
    }

    private func reference(_ node: TestNode, _ name: String = module.zipName) async throws -> Reference? {
        try await node.store.reference(try ReferenceName(name))
    }

    @Test func whatTheDatabaseConfirmsIsVerified() async throws {
        let authority = ScriptedAuthority(.sums(try Self.module.sums))
        try await onModule(authority) { node, upstream in
            #expect(await node.get(Self.module.zipPath).isComplete)
            #expect(await node.get(Self.module.modPath).status == 200)
            try await node.waitUntilHeld(Self.module.zipName)
            let zip = try #require(try await reference(node))
            #expect(zip.verified == .verified)
            #expect(zip.h1 == Self.module.h1)
            #expect(zip.origin == upstream.url.dropFirst("http://".count))
            #expect(zip.access == .public)
            #expect(try await reference(node, "go/example.com/toy@v1.0.0.mod")?.verified == .verified)
            #expect(node.metrics.unverified.value == 0)
        }
    }

    @Test func whatTheDatabaseContradictsNeverCompletesAndRaisesAnAlarm() async throws {
        let authority = ScriptedAuthority(.sums(try Self.module.sums))
        let other = TestModule(filler: 90_000).zip
        try await onModule(authority, zip: other) { node, _ in
            let got = await node.get(Self.module.zipPath)
            #expect(!got.isComplete)
            #expect(got.body.count <= other.count - Int(Holdback.limit))
            try await node.waitUntilQuiet()
            #expect(try await reference(node) == nil)
            #expect(node.metrics.mismatches.value == 1)
            #expect(node.audit.events.contains { $0.reason?.hasPrefix("mismatch") == true })
        }
    }

    @Test func aWrongModGetsAStatusAndIsNotStored() async throws {
        let wrong = try Self.module.sums.map { line in
            GoSumLine(module: line.module, subject: line.subject, hash: ModuleHash.goMod(Array("else".utf8)))
        }
        try await onModule(ScriptedAuthority(.sums(wrong))) { node, _ in
            let got = await node.get(Self.module.modPath)
            #expect(got.status == 502)
            #expect(got.text.hasPrefix("SECURITY ERROR"))
            let held = try await reference(node, "go/example.com/toy@v1.0.0.mod")
            #expect(held == nil)
        }
    }

    @Test func withoutTheDatabaseItGoesOutUnverifiedAndIsCheckedOnceTheDatabaseAnswers() async throws {
        let authority = ScriptedAuthority(.unreachable("no route"))
        try await onModule(authority) { node, _ in
            #expect(await node.get(Self.module.zipPath).body == Self.module.zip)
            try await node.waitUntilHeld(Self.module.zipName)
            #expect(try await reference(node)?.verified == .unverified)
            #expect(node.metrics.unverified.value == 1)
            try await waitUntil { node.responder.unverified.count == 1 }

            await node.responder.unverified.recheck()
            #expect(try await reference(node)?.verified == .unverified)
            authority.say(.sums(try Self.module.sums))
            await node.responder.unverified.recheck()
            #expect(try await reference(node)?.verified == .verified)
            #expect(node.responder.unverified.count == 0)
        }
    }

    @Test func unverifiedContentThatTurnsOutWrongIsDropped() async throws {
        let authority = ScriptedAuthority(.unreachable("no route"))
        try await onModule(authority) { node, _ in
            _ = await node.get(Self.module.zipPath)
            try await node.waitUntilHeld(Self.module.zipName)
            try await waitUntil { node.responder.unverified.count == 1 }
            authority.say(.sums(try TestModule(filler: 5).sums))
            await node.responder.unverified.recheck()
            #expect(try await reference(node) == nil)
            #expect(node.metrics.mismatches.value == 1)
            #expect(node.responder.unverified.count == 0)
        }
    }

    @Test func aDatabaseThatContradictsItselfIsNotBelieved() async throws {
        try await onModule(ScriptedAuthority(.invalid("two trees"))) { node, _ in
            #expect(await node.get(Self.module.zipPath).isComplete)
            try await node.waitUntilHeld(Self.module.zipName)
            #expect(try await reference(node)?.verified == .unverified)
        }
    }

    @Test func aPrivateModuleIsPinnedAtFirstSightAndALaterOtherOneRefused() async throws {
        let authority = ScriptedAuthority(.unreachable("must not be asked"))
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let isPrivate: @Sendable (inout GoModuleConfiguration) -> Void = { go in
            go.privateModules = ModulePatterns(commaSeparated: "example.com")
        }
        let replaced = TestModule(filler: 90_000)
        try await FaultUpstream.serving { asked in
            [.send(.answer(200, asked.count == 1 ? Self.module.zip : replaced.zip))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.authority = authority
            settings.go = isPrivate
            settings.access = try AccessRules.givingAnyone(.private)
            settings.directory = directory
            try await TestNode.running(settings) { node in
                #expect(await node.get(Self.module.zipPath).isComplete)
                try await node.waitUntilHeld(Self.module.zipName)
                let pinned = try #require(try await reference(node))
                #expect(pinned.verified == .pinnedAtFirstSight)
                #expect(pinned.access == .private)
                // As eviction does.
                try await node.store.remove(pinned.digest, because: "test")
            }
            try await TestNode.running(settings) { node in
                #expect(await !node.get(Self.module.zipPath).isComplete)
                #expect(node.metrics.mismatches.value == 1)
                try await node.waitUntilQuiet()
                #expect(try await reference(node) == nil)
            }
        }
        #expect(authority.count == 0)
    }

    @Test func whatWasFetchedWithACredentialStaysPrivate() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, Self.module.mod))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            let origin = try UpstreamURL(parsing: upstream.url).origin
            settings.client = {
                $0.credentials = UpstreamCredentials(byOrigin: [origin: .bearer(token: "t")])
            }
            try await TestNode.running(settings) { node in
                _ = await node.get(Self.module.modPath)
                let held = try await reference(node, "go/example.com/toy@v1.0.0.mod")
                #expect(held?.access == .private)
                #expect(upstream.asked.first?.headers["authorization"] == "Bearer t")
            }
        }
    }

    @Test func anOddZipWhoseSumIsRightPassesThrough() async throws {
        let odd = Self.module.zip + Array("trailing".utf8)
        try await onModule(ScriptedAuthority(.sums(try Self.module.sums)), zip: odd) { node, _ in
            #expect(await node.get(Self.module.zipPath).body == odd)
        }
    }

    @Test(arguments: ["<!doctype html><p>log in", "", "[]", #"{"Version":"v9.9.9"}"#, "{\"Time\":"])
    func whatCannotBeAnInfoIsNotKept(body: String) async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, body))]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                #expect(await node.get(Self.module.infoPath).status == 502)
                let held = try await reference(node, "go/example.com/toy@v1.0.0.info")
                #expect(held == nil)
            }
        }
    }
}
