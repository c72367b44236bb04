import ProxyFront
import Testing

@Suite("Who sees the status") struct StatusAccessTests {
    private struct Source: StatusSource {
        func status() async -> NodeStatus {
            NodeStatus(
                version: "1", uptimeSeconds: 1,
                inFlight: [
                    .init(name: "go/public@v1.zip", receivedBytes: 1, readers: 1),
                    .init(name: "go/hidden@v1.zip", receivedBytes: 1, readers: 1, isPrivate: true),
                ])
        }
    }

    private func get(_ access: AccessRules, _ path: String, as who: String? = nil) async -> Got {
        let router = Router(StatusResponders.routes(source: Source(), metrics: Metrics(), access: access))
        let request = Request.asking(who.map(Credentials.header), for: path)
        return await Got.reading(await router.respond(to: request).response())
    }

    @Test("is anyone or viewers only; health and readiness are open to everybody", arguments: [true, false])
    func status(open: Bool) async throws {
        try await withRules([]) {
            $0.showsStatusToAnyone = open
        } _: { access in
            for path in ["/", "/api/v1/status", "/metrics"] {
                #expect(await get(access, path).status == (open ? 200 : 401))
                #expect(await get(access, path, as: "stranger").status == (open ? 200 : 401))
                #expect(await get(access, path, as: "bob").status == 200)
            }
            for path in ["/healthz", "/readyz"] { #expect(await get(access, path).status == 200) }
        }
    }

    @Test("names what is private only to users and tokens")
    func names() async throws {
        try await withRules([]) { access in
            for path in ["/", "/api/v1/status"] {
                let anybody = await get(access, path).text
                #expect(anybody.contains("go/public@v1.zip"))
                #expect(anybody.contains("(private)"))
                #expect(!anybody.contains("hidden"))
                #expect(await get(access, path, as: "ci").text.contains("go/hidden@v1.zip"))
            }
        }
    }
}
