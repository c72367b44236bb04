import Content
import ProxyFront
import Testing

@Suite struct RegistryListTests {
    private static let subject = Digest(of: Array("subject".utf8))

    private func tags(
        _ script: @escaping @Sendable (FaultUpstream.Asked) -> [FaultUpstream.Step],
        _ check: (Result<[String], UpstreamFailure>, FaultUpstream) throws -> Void
    ) async throws {
        try await FaultUpstream.serving(script) { server in
            try await TestRegistryClient.running([server.url]) { node in
                let result: Result<[String], UpstreamFailure>
                let repository = try node.repository("app")
                do throws(UpstreamFailure) {
                    result = .success(try await node.client.tags(of: repository, as: .anonymous).elements)
                } catch {
                    result = .failure(error)
                }
                try check(result, server)
            }
        }
    }

    @Test func pagesAreJoined() async throws {
        try await tags { asked in
            switch asked.path {
            case "/v2/app/tags/list?n=1000":
                [
                    .send(
                        .answer(
                            200, #"{"name":"app","tags":["a","b","not/a/tag"]}"#,
                            [#"Link: </v2/app/tags/list?n=2&last=b>; rel="next""#]))
                ]
            case "/v2/app/tags/list?n=2&last=b":
                [.send(.answer(200, #"{"tags":["c"]}"#, ["Link: <list?last=c>; title=\"x\"; rel=next"]))]
            default: [.send(.answer(200, #"{"name":"app","tags":null}"#))]
            }
        } _: { result, server in
            let found1 = try result.get()
            #expect(found1 == ["a", "b", "c"])
            #expect(server.asked.last?.path == "/v2/app/tags/list?last=c")
        }
    }

    @Test(arguments: [
        "http://other.test/v2/app/tags/list?last=a", "/v2/other/tags/list?last=a",
        "//other.test/v2/app/tags/list",
        "/v2/app/tags/list?n=1000", "file:///etc/passwd",
    ])
    func aListGoesOnInItsOwnPlaceAndEnds(link: String) async throws {
        try await tags { _ in
            [.send(.answer(200, #"{"tags":["a"]}"#, ["Link: <\(link)>; rel=\"next\""]))]
        } _: { result, server in
            guard case .failure(.unusable) = result else {
                Issue.record("\(link) must not be followed: \(result)")
                return
            }
            #expect(server.asked.count == 1)
        }
    }

    @Test func aListWithoutEndIsGivenUp() async throws {
        try await tags { asked in
            [
                .send(
                    .answer(
                        200, #"{"tags":["a"]}"#,
                        [
                            "Link: </v2/app/tags/list?last=\(asked.path.utf8.count)x\(asked.path.suffix(200))>; rel=\"next\""
                        ]))
            ]
        } _: { result, server in
            guard case .failure(.unusable) = result else {
                Issue.record("an endless list must be refused: \(result)")
                return
            }
            #expect(server.asked.count <= 201)
        }
    }

    @Test func whatIsNoListIsAFailure() async throws {
        try await tags { _ in
            [.send(.answer(200, "<html>"))]
        } _: { result, _ in
            guard case .failure(.unusable) = result else {
                Issue.record("a page of HTML is no list: \(result)")
                return
            }
        }
    }

    private static func index(_ content: String) -> [UInt8] {
        let descriptor =
            #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#(Digest(of: Array(content.utf8)))","size":7,"artifactType":"sbom"}"#
        return Array(#"{"schemaVersion":2,"manifests":[\#(descriptor)]}"#.utf8)
    }

    private func referrers(
        _ script: @escaping @Sendable (FaultUpstream.Asked) -> [FaultUpstream.Step]
    ) async throws -> [Digest] {
        try await FaultUpstream.serving(script) { server in
            try await TestRegistryClient.running([server.url]) { node in
                try await node.client.referrers(
                    of: Self.subject, in: node.repository("app"), as: .anonymous
                ).elements.map(\.digest)
            }
        }
    }

    @Test func referrersComeInPagesToo() async throws {
        let path = "/v2/app/referrers/\(Self.subject)"
        let found = try await referrers { asked in
            asked.path == path
                ? [.send(.answer(200, Self.index("one"), ["Link: <\(path)?page=2>; rel=\"next\""]))]
                : [.send(.answer(200, Self.index("two")))]
        }
        #expect(found == ["one", "two"].map { Digest(of: Array($0.utf8)) })
    }

    @Test(arguments: [404, 405])
    func anOldRegistryKeepsThemUnderATag(status: Int) async throws {
        let found = try await referrers { asked in
            asked.path == "/v2/app/manifests/sha256-\(Self.subject.hex)"
                ? [.send(.answer(200, Self.index("old")))] : [.send(.answer(status, "no such page"))]
        }
        #expect(found == [Digest(of: Array("old".utf8))])
    }

    @Test func nobodyRefersToIt() async throws {
        let found = try await referrers { _ in [.send(.answer(404, "nothing"))] }
        #expect(found.isEmpty)
    }

    @Test func aFailureIsNotAnEmptyList() async throws {
        let failed1 = await failure { try await referrers { _ in [.send(.answer(500, "down"))] } }
        #expect(failed1 != nil)
    }
}
