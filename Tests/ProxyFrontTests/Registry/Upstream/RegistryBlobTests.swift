import Content
import ProxyFront
import Testing

@Suite struct RegistryBlobTests {
    private static let bytes = TestModule.noise(50_000)
    private static let digest = Digest(of: bytes)
    private static let login = UpstreamCredential.basic(user: "alice", password: "s3cret")

    private static func content(_ authentication: RegistryServer.Authentication) -> RegistryServer.Content {
        var content = RegistryServer.Content()
        content.authentication = authentication
        content.blobs["\(digest)"] = bytes
        content.closed = ["team/app"]
        return content
    }

    @Test func aRangeIsJustThat() async throws {
        try await RegistryServer.serving(Self.content(.bearer())) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let (facts, part) = try await node.blob("open/app", Self.digest, from: 100, to: 300)
                #expect(part == Array(Self.bytes[100..<300]))
                #expect(facts.offset == 100)
                #expect(facts.total == Int64(Self.bytes.count))
                #expect(!facts.authenticated)
                let size = try await node.client.headBlob(
                    Self.digest, of: node.repository("open/app"), as: .anonymous)
                #expect(size.size == Int64(Self.bytes.count))
                #expect(size.access == .public)
            }
        }
    }

    @Test func aTokenThatDiesMidPullCostsOneNewOne() async throws {
        try await RegistryServer.serving(Self.content(.bearer())) { registry, server in
            try await TestRegistryClient.running([server.url]) { node in
                _ = try await node.blob("open/app", Self.digest, to: 1000)
                let before = server.asked.count
                registry.revokeTokens()
                let (_, rest) = try await node.blob("open/app", Self.digest, from: 1000)
                #expect(rest == Array(Self.bytes[1000...]))
                // The refusal, the token, the range.
                #expect(server.asked.count - before == 3)
            }
        }
    }

    @Test func aRegistryThatRefusesEveryTokenIsNotAskedForEver() async throws {
        var content = Self.content(.bearer())
        content.closed = ["open/app"]
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let failed1 = await failure { try await node.blob("open/app", Self.digest) }
                #expect(failed1 != nil)
                #expect(server.asked.count { $0.path.hasPrefix("/v2/") } <= 3)
            }
        }
    }

    /// Runs a registry that sends for blobs to another server, as registries on object storage do.
    private func redirected(
        name: String, as identity: UpstreamIdentity,
        _ storage: @escaping @Sendable (FaultUpstream.Asked) -> [FaultUpstream.Step],
        _ body: (TestRegistryClient, _ registry: FaultUpstream, _ storage: FaultUpstream) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving(storage) { store in
            var content = Self.content(.bearer())
            content.blobsAt = "\(store.url)/store/"
            try await RegistryServer.serving(content) { _, server in
                try await TestRegistryClient.running([server.url], permitted: [store.url]) { registry in
                    registry.credential = .fixed(Self.login)
                } _: { node in
                    try await body(node, server, store)
                }
            }
        }
    }

    @Test(arguments: ["open/app", "team/app"])
    func nothingSecretFollowsARedirectAndItsTargetIsAskedAgain(name: String) async throws {
        let bytes = Self.bytes
        try await redirected(name: name, as: .node) { asked in
            [.send(asked.part(of: bytes, etag: "\"s\""))]
        } _: { node, registry, storage in
            let isPrivate = name == "team/app"
            let (facts, first) = try await node.blob(name, Self.digest, to: 1000, as: .node)
            #expect(first == Array(bytes[..<1000]))
            #expect(facts.authenticated == isPrivate)
            let asked = registry.asked.count
            for start in stride(from: 1000, to: 50_000, by: 10_000) {
                let (facts, part) = try await node.blob(
                    name, Self.digest, from: Int64(start), to: Int64(start + 100), as: .node)
                #expect(part == Array(bytes[start..<start + 100]))
                #expect(facts.authenticated == isPrivate)
            }
            #expect(registry.asked.count == asked)
            #expect(storage.asked.count == 6)
            #expect(storage.asked.allSatisfy { $0.headers["authorization"] == nil })
            // Another one must find out for himself whether he may.
            if isPrivate {
                let failed2 = await failure { try await node.blob(name, Self.digest, as: .anonymous) }
                #expect(failed2 != nil)
                #expect(storage.asked.count == 6)
            }
        }
    }

    @Test(arguments: [401, 403, 404, 500])
    func aTargetThatWentBadIsForgotten(status: Int) async throws {
        let bytes = Self.bytes
        try await redirected(name: "open/app", as: .anonymous) { asked in
            asked.count == 2
                ? [.send(.answer(status, "expired"))] : [.send(asked.part(of: bytes, etag: "\"s\""))]
        } _: { node, registry, storage in
            _ = try await node.blob("open/app", Self.digest, to: 1000)
            let asked = registry.asked.count
            let (_, rest) = try await node.blob("open/app", Self.digest, from: 1000)
            #expect(rest == Array(bytes[1000...]))
            #expect(registry.asked.count == asked + 1)
            #expect(storage.asked.count == 3)
        }
    }

    @Test func aSignedAddressIsUsedNoLongerThanItSays() throws {
        for (query, span) in [
            ("", Duration.seconds(240)), ("?X-Amz-Expires=100&X-Amz-Signature=a", .seconds(90)),
            ("?X-Amz-Expires=86400", .seconds(240)), ("?X-Goog-Expires=0", .zero),
            ("?X-Amz-Expires=-5", .zero),
        ] {
            let url = try UpstreamURL(parsing: "https://storage.test/blob\(query)")
            #expect(RedirectTargets.validity(of: url) == span, "\(query)")
        }
    }
}
