import Content
import ProxyFront
import Testing

@Suite struct RegistryAuthTests {
    private static let manifest = Array(
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#.utf8)

    private static func content(_ authentication: RegistryServer.Authentication) -> RegistryServer.Content {
        var content = RegistryServer.Content()
        content.authentication = authentication
        for name in ["open/app", "open/other", "team/app"] { content.add(manifest, "\(name):latest") }
        content.closed = ["team/app"]
        return content
    }

    private static let login = UpstreamCredential.basic(user: "alice", password: "s3cret")
    private static let wrong = UpstreamCredential.basic(user: "alice", password: "wrong")

    @Test(arguments: ["token", "access_token"])
    func aTokenIsFetchedOnceAndItsChallengeMetOnce(field: String) async throws {
        var content = Self.content(.bearer())
        content.tokenField = field
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let facts = try await node.head("open/app")
                #expect(facts.access == .public)
                #expect(facts.digest == Digest(of: Self.manifest))
                #expect(facts.size == Int64(Self.manifest.count))
                _ = try await node.manifest("open/app")
                _ = try await node.head("open/other")
                // The first 401 taught where tokens are: the second repository costs none.
                #expect(
                    server.asked.count { $0.headers["authorization"] == nil && $0.path.hasPrefix("/v2/") }
                        == 1)
                #expect(
                    server.asked.filter { $0.path.hasPrefix("/token") }.map(\.path) == [
                        "/token?service=stand-in&scope=repository%3Aopen%2Fapp%3Apull",
                        "/token?service=stand-in&scope=repository%3Aopen%2Fother%3Apull",
                    ])
            }
        }
    }

    @Test func manyThatNeedOneTokenAskForItOnce() async throws {
        let gate = FaultUpstream.Gate()
        var content = Self.content(.bearer())
        content.tokenGate = gate
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 { group.addTask { _ = try await node.head("open/app") } }
                    // Those who come once the realm is known ask for the token before anything else.
                    try await waitUntil { server.asked.contains { $0.path.hasPrefix("/token") } }
                    gate.open()
                    try await group.waitForAll()
                }
                #expect(server.asked.count { $0.path.hasPrefix("/token") } == 1)
            }
        }
    }

    @Test func aShortLivedTokenIsNotKept() async throws {
        var content = Self.content(.bearer())
        content.expiresIn = 3
        try await RegistryServer.serving(content) { registry, server in
            try await TestRegistryClient.running([server.url]) { node in
                _ = try await node.head("open/app")
                _ = try await node.head("open/app")
                #expect(server.asked.count { $0.path.hasPrefix("/token") } == 2)
                // Without a word of its life it counts for a minute.
                registry.change { $0.expiresIn = nil }
                _ = try await node.head("open/app")
                _ = try await node.head("open/app")
                #expect(server.asked.count { $0.path.hasPrefix("/token") } == 3)
            }
        }
    }

    @Test func whatAnybodyCanHaveIsPublicWhoeverAsks() async throws {
        for identity in [UpstreamIdentity.node, .client(Self.login), .client(Self.wrong)] {
            try await RegistryServer.serving(Self.content(.bearer())) { _, server in
                try await TestRegistryClient.running([server.url]) { registry in
                    registry.credential = .fixed(Self.login)
                } _: { node in
                    let found1 = try await node.head("open/app", as: identity).access
                    #expect(found1 == .public)
                    let found2 = try await node.manifest("open/app", as: identity).facts.access
                    #expect(found2 == .public)
                    // Only GETs of manifests as the node itself are worth logging in for.
                    let logins = server.asked.count {
                        $0.path.hasPrefix("/token") && $0.headers["authorization"] != nil
                    }
                    #expect(logins == (identity == .node ? 1 : 0))
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func whatNeedsALoginIsPrivate(isBasic: Bool) async throws {
        for identity in [UpstreamIdentity.node, .client(Self.login)] {
            try await RegistryServer.serving(Self.content(isBasic ? .basic : .bearer())) { _, server in
                try await TestRegistryClient.running([server.url]) { registry in
                    registry.credential = .fixed(Self.login)
                } _: { node in
                    let found3 = try await node.manifest("team/app", as: identity).facts.access
                    #expect(found3 == .private)
                    let found4 = try await node.head("team/app", as: identity).access
                    #expect(found4 == .private)
                    let refused = await failure { try await node.head("team/app", as: .anonymous) }
                    guard case .refused(let refusal) = refused else {
                        Issue.record("anonymous must not get it: \(String(describing: refused))")
                        return
                    }
                    #expect(refusal.status == 401)
                }
            }
        }
    }

    @Test func aWrongLoginIsRefusedAndTriedFewTimes() async throws {
        try await RegistryServer.serving(Self.content(.bearer())) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let refused = await failure { try await node.head("team/app", as: .client(Self.wrong)) }
                guard case .refused(let refusal) = refused else {
                    Issue.record("a wrong password opens nothing: \(String(describing: refused))")
                    return
                }
                #expect(refusal.status == 401)
                #expect(server.asked.count <= 8)
            }
        }
    }

    @Test func clientsLoginsAreNotPassedOnWhereTheConfigurationForbidsIt() async throws {
        try await RegistryServer.serving(Self.content(.bearer())) { _, server in
            try await TestRegistryClient.running([server.url]) { registry in
                registry.passesCredentials = false
            } _: { node in
                let failed1 = await failure { try await node.head("team/app", as: .client(Self.login)) }
                #expect(failed1 != nil)
                #expect(!server.asked.contains { $0.headers["authorization"]?.hasPrefix("Basic") == true })
            }
        }
    }

    @Test func aLoginIsNotShownToAForeignTokenService() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, #"{"token":"foreign"}"#))]
        } _: { realm in
            // By another name: of nobody's domain but its own.
            let foreign = "http://localhost:\(realm.port)"
            try await RegistryServer.serving(Self.content(.bearer(realm: foreign))) { _, server in
                try await TestRegistryClient.running([server.url], permitted: [foreign]) { registry in
                    registry.credential = .fixed(Self.login)
                } _: { node in
                    let refused = await failure { try await node.head("team/app", as: .node) }
                    guard case .unusable(_, let reason) = refused else {
                        Issue.record("a foreign realm must be refused: \(String(describing: refused))")
                        return
                    }
                    #expect(!reason.contains("s3cret"))
                    // Anonymously it may be asked: there is nothing to steal.
                    #expect(!realm.asked.isEmpty)
                    #expect(realm.asked.allSatisfy { $0.headers["authorization"] == nil })
                }
            }
        }
    }

    @Test func aTokenServiceOfTheNodesOwnNetworkIsNotAskedForAStranger() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, #"{"token":"inner"}"#))]
        } _: { realm in
            let inner = "http://localhost:\(realm.port)"
            try await RegistryServer.serving(Self.content(.bearer(realm: inner))) { _, server in
                try await TestRegistryClient.running([server.url]) { node in
                    let failed2 = await failure { try await node.head("open/app") }
                    #expect(failed2 != nil)
                    #expect(realm.asked.isEmpty)
                }
            }
        }
    }

    @Test func anIdentityTokenIsExchanged() async throws {
        try await RegistryServer.serving(Self.content(.bearer())) { _, server in
            try await TestRegistryClient.running([server.url]) { registry in
                registry.credential = .identityToken("s3cret")
            } _: { node in
                let found5 = try await node.head("team/app", as: .node).access
                #expect(found5 == .private)
                let post = server.asked.first { $0.method == "POST" }
                #expect(post?.path == "/token")
                #expect(post?.body.contains("grant_type=refresh_token") == true)
                #expect(!server.asked.contains { $0.path.contains("s3cret") })
            }
        }
    }

    @Test(arguments: [400, 404, 500])
    func aTokenServicesFailureIsNoWordAboutTheImage(status: Int) async throws {
        var content = Self.content(.bearer())
        content.instead = { $0.path.hasPrefix("/token") ? [.send(.answer(status, "x"))] : nil }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                let failed = await failure { try await node.head("open/app") }
                #expect(failed != nil)
                #expect(failed?.isNotFound == false)
                #expect(failed?.isOutage == true)
            }
        }
    }

    @Test(arguments: [
        "{}", "[]", "nonsense", #"{"token":""}"#, #"{"token":"a b"}"#, #"{"token":"a\r\nX: y"}"#,
    ])
    func whatIsNoTokenIsNotSent(answer: String) async throws {
        var content = Self.content(.bearer())
        content.instead = { $0.path.hasPrefix("/token") ? [.send(.answer(200, answer))] : nil }
        try await RegistryServer.serving(content) { _, server in
            try await TestRegistryClient.running([server.url]) { node in
                guard case .unusable = await failure({ try await node.head("open/app") }) else {
                    Issue.record("\(answer) is no token")
                    return
                }
                #expect(server.asked.allSatisfy { $0.headers["authorization"] == nil })
            }
        }
    }
}
