import Content
import ProxyFront
import Testing

@Suite struct RegistryLimitTests {
    private static let bytes = Array(#"{"schemaVersion":2,"layers":[],"config":{}}"#.utf8)

    private static func limited(_ method: String, _ fields: [String]) -> RegistryServer.Content {
        var content = RegistryServer.Content()
        content.add(bytes, "app:latest")
        content.instead = { asked in
            guard asked.method == method else { return nil }
            return [
                .send(
                    method == "HEAD"
                        ? .head(429, ["Content-Length: 0"] + fields) : .answer(429, "slow down", fields))
            ]
        }
        return content
    }

    @Test func aUsedUpLimitIsRespectedForWhatItCounts() async throws {
        let content = Self.limited(
            "GET", ["Retry-After: 1000", "RateLimit-Limit: 100;w=21600", "RateLimit-Remaining: 0;w=21600"])
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                for _ in 0..<3 {
                    guard case .refused(let refusal) = await failure({ try await node.manifest("app") })
                    else {
                        Issue.record("the limit is used up")
                        return
                    }
                    #expect(refusal.status == 429)
                    #expect((1...1001).contains(Int(refusal.retryAfter ?? "") ?? 0))
                }
                #expect(server.asked.count { $0.method == "GET" } == 1)
                // HEADs cost nothing.
                let found1 = try await node.head("app").digest
                #expect(found1 == Digest(of: Self.bytes))
                let isAsked = try node.client.isAsked(RegistryHost("registry.test"))
                #expect(isAsked)
                let status = try #require(node.client.status.first)
                #expect(status.remaining == 0)
                #expect(status.limit == 100)
                #expect((900...1001).contains(status.resumesIn ?? 0))
                let metrics = node.metrics.render()
                #expect(
                    metrics.contains("edgenode_registry_ratelimit_remaining{registry=\"registry.test\"} 0\n"))
                #expect(metrics.contains("edgenode_registry_limited_total{registry=\"registry.test\"} 1\n"))
            }
        }
    }

    @Test func aRegistryThatRefusesHEADsIsNotAskedAtAll() async throws {
        try await RegistryServer.serving(Self.limited("HEAD", ["Retry-After: 1000"])) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let failed1 = await failure { try await node.head("app") }
                #expect(failed1 != nil)
                let failed2 = await failure { try await node.head("app") }
                #expect(failed2 != nil)
                #expect(server.asked.count == 1)
                let isAsked = try node.client.isAsked(RegistryHost("registry.test"))
                #expect(!isAsked)
            }
        }
    }

    @Test func aLoginHasALimitOfItsOwn() async throws {
        var content = RegistryServer.Content()
        content.authentication = .bearer()
        content.add(Self.bytes, "app:latest")
        content.instead = { asked in
            asked.path.contains("manifests") && asked.headers["authorization"] == "Bearer token-1"
                ? [.send(.head(429, ["Content-Length: 0", "Retry-After: 1000"]))] : nil
        }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { registry in
                registry.credential = .fixed(.basic(user: "alice", password: "s3cret"))
            } _: { node in
                let failed3 = await failure { try await node.manifest("app", as: .anonymous) }
                #expect(failed3 != nil)
                let found2 = try await node.manifest("app", as: .node).bytes
                #expect(found2 == Self.bytes)
            }
        }
    }

    @Test func whatIsLeftIsShown() async throws {
        var content = RegistryServer.Content()
        content.instead = { _ in
            [
                .send(
                    .answer(
                        200, Self.bytes, ["ratelimit-limit: 100;w=21600", "ratelimit-remaining: 76;w=21600"]))
            ]
        }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                #expect(!node.metrics.render().contains("ratelimit_remaining{"))
                _ = try await node.manifest("app")
                #expect(node.client.status.first?.remaining == 76)
                #expect(
                    node.metrics.render().contains(
                        "edgenode_registry_ratelimit_remaining{registry=\"registry.test\"} 76\n"))
            }
        }
    }

    @Test func retryAfterIsSecondsOrADate() {
        let date = HTTPDate(seconds: 784_111_777)
        #expect(RateLimitBook.span("120", date: date) == .seconds(120))
        #expect(RateLimitBook.span("Sun, 06 Nov 1994 08:50:37 GMT", date: date) == .seconds(60))
        for bad in [nil, "", "soon", "-1", "1.5"] { #expect(RateLimitBook.span(bad, date: date) == nil) }
    }
}
