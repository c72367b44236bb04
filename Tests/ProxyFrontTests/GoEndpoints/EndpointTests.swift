import ChunkStore
import Content
import ProxyFront
import Testing

@Suite struct EndpointTests {
    /// A module proxy with one module of three versions.
    static func site(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        let module = TestModule("github.com/BurntSushi/toml", "v1.4.0", filler: 2000)
        let base = "/github.com/!burnt!sushi/toml/@v"
        return switch asked.path {
        case "\(base)/list": [.send(.answer(200, "v1.4.0\nv1.3.0\n"))]
        case "\(base)/v1.4.0.info": [.send(.answer(200, module.info + " "))]
        case "\(base)/master.info", "/github.com/!burnt!sushi/toml/@latest":
            [
                .send(
                    .answer(
                        200, #"{"Version":"v1.4.1-0.20240101000000-abcdefabcdef","Origin":{"VCS":"git"}}"#))
            ]
        case "\(base)/v1.4.0.mod": [.send(.answer(200, module.mod))]
        case "\(base)/v1.4.0.zip": [.send(.answer(200, module.zip))]
        case "\(base)/v1.3.0.mod": [.send(.answer(200, "module github.com/BurntSushi/toml\n"))]
        case "/example.com/old/@v/v2.0.0+incompatible.info":
            [.send(.answer(200, #"{"Version":"v2.0.0+incompatible"}"#))]
        case "/example.com/untagged/@v/list": [.send(.answer(200, ""))]
        default: [.send(.answer(404, "not found: \(asked.path)"))]
        }
    }

    private func onSite<Result>(
        go: @escaping @Sendable (inout GoModuleConfiguration) -> Void = { _ in },
        _ body: (TestNode, FaultUpstream) async throws -> Result
    ) async throws -> Result {
        try await FaultUpstream.serving(Self.site) { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.go = go
            return try await TestNode.running(settings) { try await body($0, upstream) }
        }
    }

    @Test(arguments: [
        ("@v/list", "text/plain; charset=UTF-8", "public, max-age=60"),
        ("@latest", "application/json", "public, max-age=60"),
        ("@v/master.info", "application/json", "public, max-age=60"),
        ("@v/v1.4.0.info", "application/json", "public, max-age=10800"),
        ("@v/v1.4.0.mod", "text/plain; charset=UTF-8", "public, max-age=10800"),
        ("@v/v1.4.0.zip", "application/zip", "public, max-age=10800"),
    ])
    func everyFileComesByteForByteAndThenFromTheStore(
        file: String, type: String, caching: String
    ) async throws {
        try await onSite { node, upstream in
            let path = "/github.com/!burnt!sushi/toml/\(file)"
            let cold = await node.get(path)
            let asked = FaultUpstream.Asked(path: path, headers: [:], count: 1)
            guard case .send(let wire) = Self.site(asked)[0] else { return }
            #expect(cold.status == 200)
            #expect(cold.isComplete)
            #expect(wire.suffix(cold.body.count).elementsEqual(cold.body))
            #expect(!cold.body.isEmpty)
            try await node.waitUntilQuiet()
            let (hot, isNow) = await node.response(path)
            let got = await Got.reading(hot)
            #expect(isNow, "a hit is answered on the event loop")
            #expect(got.body == cold.body)
            #expect(got.headers["Content-Type"] == type)
            #expect(got.headers["Cache-Control"] == caching)
            #expect(got.headers["ETag"] == "\"\(Digest(of: cold.body).hex)\"")
            #expect(got.headers["Warning"] == nil)
            #expect(upstream.count(path) == 1)
        }
    }

    @Test func aModuleWithoutTagsHasAnEmptyList() async throws {
        try await onSite { node, _ in
            let got = await node.get("/example.com/untagged/@v/list")
            #expect(got.status == 200)
            #expect(got.body.isEmpty)
            #expect(await node.get("/example.com/untagged/@v/list").status == 200)
        }
    }

    @Test func anIncompatibleVersionIsAskedForUnderItsName() async throws {
        try await onSite { node, _ in
            #expect(await node.get("/example.com/old/@v/v2.0.0+incompatible.info").status == 200)
            #expect(await node.get("/example.com/old/@v/v2.0.0%2Bincompatible.info").status == 200)
        }
    }

    @Test func aModWithoutItsZipIsServed() async throws {
        try await onSite { node, _ in
            #expect(await node.get("/github.com/!burnt!sushi/toml/@v/v1.3.0.mod").status == 200)
            #expect(await node.get("/github.com/!burnt!sushi/toml/@v/v1.3.0.zip").status == 404)
            #expect(await node.get("/github.com/!burnt!sushi/toml/@v/v1.3.0.mod").status == 200)
        }
    }

    @Test func aModMissCostsOneRequestAndNoZip() async throws {
        try await onSite { node, upstream in
            _ = await node.get("/github.com/!burnt!sushi/toml/@v/v1.4.0.mod")
            _ = await node.get("/github.com/!burnt!sushi/toml/@v/v1.4.0.mod")
            #expect(upstream.asked.map(\.path) == ["/github.com/!burnt!sushi/toml/@v/v1.4.0.mod"])
        }
    }

    @Test func anAnswerToABranchQueryMakesNoInfoUp() async throws {
        try await onSite { node, _ in
            _ = await node.get("/github.com/!burnt!sushi/toml/@v/master.info")
            let pseudo = "/github.com/!burnt!sushi/toml/@v/v1.4.1-0.20240101000000-abcdefabcdef.info"
            #expect(await node.get(pseudo).status == 404)
        }
    }

    @Test(arguments: [
        ("/github.com/BurntSushi/toml/@v/list", 404), ("/x/@v/list", 404), ("/example.com/a/@v/v1.zip", 404),
        ("/example.com/a/@v/v1.0.0.exe", 404), ("/", 404), ("/example.com/%zz/@v/list", 400),
        ("/example.com/../x/@v/list", 404), ("/sumdb/unknown.example/supported", 404),
    ])
    func aNameThatCannotBeIsRefusedWithoutAskingUpstream(path: String, status: Int) async throws {
        try await onSite { node, upstream in
            let (response, isNow) = await node.response(path)
            #expect(isNow)
            #expect(response.status.code == status)
            #expect(upstream.asked.isEmpty)
        }
    }

    @Test func onlyGetAndHeadAreServed() async throws {
        try await onSite { node, _ in
            guard
                case .now(let response) = node.responder.respond(
                    to: Request(method: .put, target: "/example.com/a/@v/list"))
            else {
                Issue.record("a refusal needs no waiting")
                return
            }
            #expect(response.status.code == 405)
            #expect(response.headers["Allow"] == "GET, HEAD")
        }
    }

    @Test func anExcludedModuleIsRefusedWithTheReasonAndAnEntryInTheAuditLog() async throws {
        let access = try AccessPatterns(include: [], exclude: ["github.com/*/toml"])
        let exclude: @Sendable (inout GoModuleConfiguration) -> Void = { $0.access = access }
        try await onSite(go: exclude) { node, upstream in
            let (response, isNow) = await node.response("/github.com/!burnt!sushi/toml/@v/v1.4.0.zip")
            #expect(isNow)
            #expect(response.status.code == 403)
            #expect(await Got.reading(response).text.contains("github.com/*/toml"))
            #expect(upstream.asked.isEmpty)
            #expect(node.audit.events.map(\.action) == [.deny])
            #expect(await node.get("/example.com/untagged/@v/list").status == 200)
        }
    }

    @Test func disableModuleFetchAnswersFromTheStoreAlone() async throws {
        try await onSite { node, upstream in
            let path = "/github.com/!burnt!sushi/toml/@v/v1.4.0.mod"
            let quiet: Headers = ["Disable-Module-Fetch": "true"]
            let cold = await node.get(path, headers: quiet)
            #expect(cold.status == 404)
            #expect(cold.text.contains("not found"))
            #expect(upstream.asked.isEmpty)
            _ = await node.get(path)
            #expect(await node.get(path, headers: quiet).status == 200)
        }
    }

    @Test func missesAreRememberedAndForgottenWithTheirTime() async throws {
        try await onSite { node, upstream in
            let path = "/example.com/none/@v/list"
            for _ in 0..<3 { #expect(await node.get(path).text == "not found: \(path)") }
            #expect(upstream.count(path) == 1)
        }
        let forgetful: @Sendable (inout GoModuleConfiguration) -> Void = { $0.missFor = .zero }
        try await onSite(go: forgetful) { node, upstream in
            let path = "/example.com/none/@v/list"
            for _ in 0..<3 { #expect(await node.get(path).status == 404) }
            #expect(upstream.count(path) == 3)
        }
    }

    @Test func thirtyTwoClientsOnOneColdZipCauseOneRequest() async throws {
        let module = TestModule(filler: 300_000)
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving { _ in
            [
                .send(.head(200, ["Content-Length: \(module.zip.count)"]) + module.zip.prefix(1000)),
                .wait(gate), .send(Array(module.zip.dropFirst(1000))),
            ]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let bodies = try await withThrowingTaskGroup(of: (Response.Source?, [UInt8]).self) { group in
                    let begun = Tally()
                    for _ in 0..<32 {
                        group.addTask {
                            let response = await node.response(module.zipPath).0
                            begun.add()
                            return (response.servedFrom, await Got.reading(response).body)
                        }
                    }
                    try await waitUntil { begun.value == 32 }
                    gate.open()
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(bodies.allSatisfy { $0.1 == module.zip })
                #expect(bodies.count { $0.0 == .upstream } == 1)
                #expect(bodies.count { $0.0 == .inFlight } == 31)
                #expect(upstream.asked.count == 1)
            }
        }
    }
}
