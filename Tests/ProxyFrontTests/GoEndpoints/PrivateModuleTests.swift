import Foundation
import NIOPosix
import ProxyFront
import Testing

/// Private modules are served neither hot, nor in flight, nor stale, to a client that no rule admits.
@Suite("Private modules") struct PrivateModuleTests {
    private static let module = TestModule("corp.example/tool", "v1.0.0", filler: 400_000)

    private static func site(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        switch asked.path {
        case module.zipPath: [.send(.answer(200, module.zip))]
        case module.modPath: [.send(.answer(200, module.mod))]
        case module.infoPath: [.send(.answer(200, module.info))]
        case module.listPath: [.send(.answer(200, "v1.0.0\n"))]
        default: [.send(.answer(404, "not found"))]
        }
    }

    /// A node with a private module of alice's, and clients over real connections.
    private func onSite(
        _ script: @escaping FaultUpstream.Script = Self.site,
        go: @escaping @Sendable (inout GoModuleConfiguration) -> Void = {
            $0.privateModules = ModulePatterns(commaSeparated: "corp.example")
        },
        client: @escaping @Sendable (inout HTTPUpstreamClient.Configuration) -> Void = { _ in },
        rules: [(content: [String], who: [String], give: AccessRule.Grant)] = [
            (["go/corp.example"], ["user:alice"], .private)
        ],
        policy: any PolicyControl = NoPolicy(),
        _ body: (TestNode, FaultUpstream, Int) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving(script) { upstream in
            try await withRules(rules) { access in
                var settings = TestNode.Settings(upstream.url)
                settings.go = go
                settings.client = client
                settings.access = access
                settings.rules = policy
                try await TestNode.running(settings) { node in
                    try await withServer(node.responder) { port in try await body(node, upstream, port) }
                }
            }
        }
    }

    private func get(
        _ port: Int, _ path: String, as who: String? = nil
    ) async throws -> (status: Int, body: [UInt8], headers: [String: String]) {
        let client = try RawClient(port: port)
        let authorization = who.map { "Authorization: \(Credentials.header($0))\r\n" } ?? ""
        try await client.send(
            "GET \(path) HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\(authorization)\r\n")
        let (bytes, isReset) = try await client.readToEnd()
        #expect(!isReset)
        let end = try #require(Data(bytes).firstRange(of: Data("\r\n\r\n".utf8)))
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let status = try #require(lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        return (status, Array(bytes[end.upperBound...]), headers)
    }

    static let files = [module.zipPath, module.modPath, module.infoPath, module.listPath]

    @Test("are refused cold without asking upstream, and hot, to those whom no rule admits", arguments: files)
    func coldAndHot(path: String) async throws {
        try await onSite { node, upstream, port in
            for (who, status) in [(nil, 401), ("bob", 403), ("ci", 403), ("stranger", 401)] {
                let got = try await get(port, path, as: who)
                #expect(got.status == status)
                #expect(got.headers["content-type"]?.hasPrefix("text/plain") == true)
                #expect((got.headers["www-authenticate"] != nil) == (status == 401))
                #expect(got.headers["cache-control"] == "no-store")
                #expect(
                    String(decoding: got.body, as: UTF8.self).contains("module corp.example/tool is private"))
            }
            #expect(upstream.asked.isEmpty)
            let admitted = try await get(port, path, as: "alice")
            #expect(admitted.status == 200)
            try await node.waitUntilQuiet()
            for (who, status) in [(nil, 401), ("bob", 403), ("stranger", 401), ("alice", 200)] {
                let got = try await get(port, path, as: who)
                #expect(got.status == status)
                if status != 200 { #expect(got.body != admitted.body) }
            }
            let denials = node.audit.events.filter { $0.action == .deny }
            #expect(denials.count == 7)
            #expect(denials.allSatisfy { $0.client == "127.0.0.1" && $0.reason != nil })
        }
    }

    @Test("are refused in flight, and the flight goes on")
    func inFlight() async throws {
        let gate = FaultUpstream.Gate()
        let zip = Self.module.zip
        try await onSite { asked in
            asked.path == Self.module.zipPath
                ? [
                    .send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(1000)), .wait(gate),
                    .send(Array(zip.dropFirst(1000))),
                ] : Self.site(asked)
        } _: { node, upstream, port in
            async let admitted = get(port, Self.module.zipPath, as: "alice")
            try await waitUntil {
                upstream.asked.count == 1 && node.delivery.underWay.first?.receivedBytes ?? 0 > 0
            }
            let refused = try await get(port, Self.module.zipPath).status
            #expect(refused == 401)
            let isHidden = node.delivery.underWay.allSatisfy(\.isPrivate)
            #expect(isHidden)
            gate.open()
            let body = try await admitted.body
            #expect(body == zip)
            #expect(upstream.asked.count == 1)
        }
    }

    @Test("that only upstream's credential made private are refused once that is known")
    func authenticated() async throws {
        let noneIsPrivate: @Sendable (inout GoModuleConfiguration) -> Void = { _ in }
        let credentialed: @Sendable (inout HTTPUpstreamClient.Configuration) -> Void = { client in
            for origin in client.redirects.configured {
                client.credentials.byOrigin[origin] = .bearer(token: "node-secret")
            }
        }
        try await onSite(go: noneIsPrivate, client: credentialed) { node, upstream, port in
            for path in Self.files {
                let refused = try await get(port, path).status
                #expect(refused == 401)
                try await node.waitUntilQuiet()
                let refusedHot = try await get(port, path).status
                #expect(refusedHot == 401)
                let admitted = try await get(port, path, as: "alice").status
                #expect(admitted == 200)
            }
            #expect(upstream.asked.allSatisfy { $0.headers["authorization"] == "Bearer node-secret" })
        }
    }

    @Test("are refused stale, while upstream is away, lists of what is held included")
    func stale() async throws {
        try await onSite { node, upstream, port in
            for path in Self.files { #expect(try await get(port, path, as: "alice").status == 200) }
            try await node.waitUntilQuiet()
            try await upstream.stop()
            node.clock.advance(seconds: 3600)
            for path in Self.files {
                let refused = try await get(port, path).status
                #expect(refused == 401)
                let admitted = try await get(port, path, as: "alice").status
                #expect(admitted == 200)
            }
        }
    }

    @Test("leave public modules open to everybody, wrong passwords and strangers' credentials included")
    func publicModules() async throws {
        let open = TestModule("golang.example/open", "v1.0.0", filler: 2000)
        try await onSite { asked in
            asked.path == open.modPath ? [.send(.answer(200, open.mod))] : Self.site(asked)
        } _: { _, _, port in
            for who in [nil, "alice", "stranger", "bearer"] {
                let got = try await get(port, open.modPath, as: who)
                #expect(got.status == 200)
            }
        }
    }

    @Test("and public ones may be kept from everybody by a rule, checksum lookups included")
    func nothing() async throws {
        try await onSite(rules: [(["go/corp.example"], ["anyone"], .nothing)]) { _, upstream, port in
            for path in Self.files {
                let refused = try await get(port, path).status
                #expect(refused == 401)
                let forbidden = try await get(port, path, as: "alice").status
                #expect(forbidden == 403)
            }
            #expect(upstream.asked.isEmpty)
        }
    }

    @Test("are kept back by the policy whoever asks, with the reason and an entry in the audit log")
    func policy() async throws {
        var match = PolicyMatch()
        try match.restrict(.module, to: ["corp.example/tool"])
        try match.restrict(.version, to: ["!re:v[2-9].*"])
        let rules = try PolicyRules(
            [PolicyRule(match, .deny(reason: "v1 has a hole"))], group: MultiThreadedEventLoopGroup.singleton,
            logger: CollectedLog().logger)
        try await onSite(policy: rules) { node, upstream, port in
            let got = try await get(port, Self.module.modPath, as: "alice")
            #expect(got.status == 403)
            #expect(String(decoding: got.body, as: UTF8.self) == "forbidden: v1 has a hole\n")
            #expect(upstream.asked.isEmpty)
            #expect(node.audit.events.map(\.reason) == ["v1 has a hole"])
            #expect(
                try await get(port, Self.module.listPath, as: "alice").status == 200, "a list has no version")
        }
    }
}
