import ChunkStore
import Content
import ProxyFront
import Synchronization
import Testing

@Suite struct FreshnessTests {
    /// A list that grows by one version with every request.
    private static func growing(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        asked.path.hasSuffix("/list")
            ? [.send(.answer(200, (1...asked.count).map { "v1.\($0).0\n" }.joined()))]
            : [.send(.answer(404, "no"))]
    }

    @Test func aListIsFreshForAMinuteThenServedStaleWhileItIsAskedForBehind() async throws {
        let path = "/example.com/toy/@v/list"
        try await FaultUpstream.serving(Self.growing) { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                #expect(await node.get(path).text == "v1.1.0\n")
                node.clock.advance(seconds: 59)
                #expect(await node.get(path).text == "v1.1.0\n")
                #expect(upstream.count(path) == 1)

                node.clock.advance(seconds: 2)
                let stale = await node.get(path)
                #expect(stale.text == "v1.1.0\n")
                #expect(stale.headers["Age"] == "61")
                #expect(stale.headers["Warning"]?.hasPrefix("110 ") == true)
                #expect(node.metrics.stale.value == 1)
                try await waitUntil { await node.get(path).text == "v1.1.0\nv1.2.0\n" }
                #expect(upstream.count(path) == 2)
                let fresh = await node.get(path)
                #expect(fresh.headers["Warning"] == nil)
                #expect(fresh.headers["Age"] == nil)
            }
        }
    }

    @Test func aNewTagAskedForByNameIsSeenOnceItsMissIsForgotten() async throws {
        let isTagged = Mutex(false)
        let module = TestModule()
        try await FaultUpstream.serving { _ in
            isTagged.withLock { $0 }
                ? [.send(.answer(200, module.info))] : [.send(.answer(404, "no such tag"))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.go = { $0.missFor = .zero }
            try await TestNode.running(settings) { node in
                #expect(await node.get(module.infoPath).status == 404)
                isTagged.withLock { $0 = true }
                #expect(await node.get(module.infoPath).text == module.info)
            }
        }
    }

    @Test func offlineTheListIsTheLastOneJoinedWithTheVersionsHeld() async throws {
        let held = TestModule("example.com/toy", "v1.9.0")
        try await FaultUpstream.serving { asked in
            switch asked.path {
            case held.listPath: [.send(.answer(200, "v1.0.0\nv1.10.0\n"))]
            case held.zipPath: [.send(.answer(200, held.zip))]
            default: [.send(.answer(404, "no"))]
            }
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                #expect(await node.get(held.listPath).text == "v1.0.0\nv1.10.0\n")
                #expect(await node.get(held.zipPath).isComplete)
                try await node.waitUntilHeld(held.zipName)
                try await upstream.stop()
                node.clock.advance(seconds: 3600)
                try await waitUntil { await node.get(held.listPath).text == "v1.0.0\nv1.9.0\nv1.10.0\n" }
                let offline = await node.get(held.listPath)
                #expect(offline.headers["Warning"]?.hasPrefix("111 ") == true)
                #expect(offline.headers["Age"] == "3600")
                #expect(await node.get(held.zipPath).body == held.zip)
                let missing = await node.get("/example.com/toy/@v/v1.0.0.zip")
                #expect(missing.status == 503)
                #expect(missing.headers["Content-Type"]?.hasPrefix("text/plain") == true)
            }
        }
    }

    @Test func everyUpstreamDownAtTheStartIsNormal() async throws {
        let module = TestModule()
        let directory = TestNode.temporaryDirectory()
        defer { TestNode.remove(directory) }
        let url = try await FaultUpstream.serving { asked in
            asked.path == module.zipPath
                ? [.send(.answer(200, module.zip))] : [.send(.answer(200, module.mod))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.directory = directory
            try await TestNode.running(settings) { node in
                _ = await node.get(module.zipPath)
                _ = await node.get(module.modPath)
                try await node.waitUntilHeld(module.zipName)
            }
            return upstream.url
        }
        var settings = TestNode.Settings(url)
        settings.directory = directory
        try await TestNode.running(settings) { node in
            #expect(await node.get(module.zipPath).body == module.zip)
            #expect(await node.get(module.modPath).body == module.mod)
            // No list was ever seen: the versions held are what is known.
            #expect(await node.get(module.listPath).text == "v1.0.0\n")
            #expect(await node.get("/example.com/other/@v/list").status == 503)
            #expect(await node.get("/example.com/toy/@latest").status == 503)
        }
    }

    @Test func aBlackHoleCostsOneTimeOut() async throws {
        try await FaultUpstream.serving { _ in
            [.hang]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.client = { $0.firstByteTimeout = .seconds(2) }
            settings.breaker.firstRest = .seconds(3600)
            settings.breaker.longestRest = .seconds(3600)
            try await TestNode.running(settings) { node in
                #expect(await node.get("/example.com/toy/@v/v1.0.0.info").status == 504)
                for minor in 1...20 {
                    #expect(await node.get("/example.com/toy/@v/v1.\(minor).0.info").status == 503)
                }
                #expect(upstream.asked.count == 1)
                #expect(node.pool.health.map(\.state) == [.resting])
            }
        }
    }

    @Test func anUpstreamThatComesBackIsFoundByAProbe() async throws {
        let isDead = Mutex(true)
        try await FaultUpstream.serving { asked in
            isDead.withLock { $0 } ? [.reset] : [.send(.answer(asked.path == "/" ? 404 : 200, "v1.0.0\n"))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.breaker.firstRest = .milliseconds(1)
            try await TestNode.running(settings) { node in
                #expect(await node.get("/example.com/toy/@v/list").status == 503)
                isDead.withLock { $0 = false }
                try await waitUntil { await node.get("/example.com/toy/@v/list").status == 200 }
                #expect(upstream.count("/") >= 1)
                #expect(node.pool.health.map(\.state) == [.up])
            }
        }
    }

    @Test func hitsAreAnsweredOnTheEventLoopWhileFortyMissesStall() async throws {
        let module = TestModule()
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving { asked in
            asked.path == module.modPath
                ? [.send(.answer(200, module.mod))] : [.wait(gate), .send(.answer(404, "late"))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.client = { $0.firstByteTimeout = .seconds(60) }
            try await TestNode.running(settings) { node in
                _ = await node.get(module.modPath)
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<40 {
                        group.addTask { await node.get("/example.com/miss\(number)/@v/v1.0.0.mod").status }
                    }
                    try await waitUntil { upstream.asked.count == 41 }
                    var longest = Duration.zero
                    for _ in 0..<2000 {
                        let start = ContinuousClock.now
                        let (response, isNow) = await node.response(module.modPath)
                        longest = max(longest, ContinuousClock.now - start)
                        try #require(isNow)
                        try #require(response.status.code == 200)
                    }
                    print("2,000 hits beside 40 stalled misses: the longest took \(longest)")
                    gate.open()
                    for try await status in group { #expect(status == 404) }
                }
            }
        }
    }
}

@Suite struct NegativeCacheTests {
    @Test func aMissIsRememberedForItsTimeAndTheOldestGoesFirst() throws {
        let cache = NegativeCache(lifetime: .seconds(60), limit: 3)
        let start = ContinuousClock.now
        let names = try (0..<4).map { try ReferenceName("go/example.com/\($0)@list") }
        for (index, name) in names.enumerated() {
            cache.remember(
                UpstreamRefusal(upstream: "u", status: 404, body: [UInt8(index)]), for: name,
                now: start + .seconds(index))
        }
        #expect(cache.refusal(for: names[0], now: start + .seconds(4)) == nil)
        #expect(cache.refusal(for: names[3], now: start + .seconds(62))?.body == [3])
        #expect(cache.refusal(for: names[3], now: start + .seconds(63)) == nil)
        cache.forget(names[2])
        #expect(cache.refusal(for: names[2], now: start + .seconds(4)) == nil)
    }
}

@Suite struct VersionListTests {
    @Test(
        arguments: [
            (nil, [], nil), ("", [], ""), ("v1.0.0\n", [], "v1.0.0\n"), ("v1.0.0\n", ["v1.0.0"], "v1.0.0\n"),
            ("v1.2.0\nv1.10.0\n", ["v1.9.0"], "v1.2.0\nv1.9.0\nv1.10.0\n"),
            (nil, ["v2.0.0+incompatible"], "v2.0.0+incompatible\n"),
            ("v1.0.0 2020-01-01T00:00:00Z\n", ["v1.0.0"], "v1.0.0 2020-01-01T00:00:00Z\n"),
            (nil, ["v0.0.0-20190311183353-d8887717615a"], nil),
        ] as [(String?, [String], String?)])
    func theLastListIsJoinedWithWhatIsHeld(last: String?, held: [String], joined: String?) throws {
        let versions = try held.map { try ModuleVersion($0) }
        let list = VersionList.joined(last: last.map { Array($0.utf8) }, held: versions)
        #expect(list.map { String(decoding: $0, as: UTF8.self) } == joined)
    }
}
