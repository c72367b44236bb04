import Testing

extension ContainerTests {
    @Suite("over a bad wire", .timeLimit(.minutes(10)))
    struct Faults {
        /// Something that goes wrong between node and registry, although the bytes are to be had.
        struct Trouble: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var faults: [Upstream.Fault] = []
            var gate: Relay.Gate?
            var settings: [String: [String]] = [:]
        }

        private static let layers = "/v2/.*/blobs/.*"
        private static let store = "http://127.0.0.2:5004"

        static let troubles: [Trouble] = [
            .init(
                testDescription: "a layer cut off at 1 MiB",
                faults: [.init(path: layers, action: "cut", method: "GET", at: 1 << 20)]),
            .init(
                testDescription: "a connection reset at 1 MiB",
                faults: [.init(path: layers, action: "reset", method: "GET", at: 1 << 20)]),
            .init(
                testDescription: "a stall at 1 MiB",
                faults: [.init(path: layers, action: "stall", method: "GET", at: 1 << 20, times: 1)]),
            .init(
                testDescription: "one 500 for a manifest",
                faults: [.init(path: "/v2/.*/manifests/.*", action: "status", status: 500, times: 1)]),
            .init(
                testDescription: "one 503 for a layer",
                faults: [.init(path: layers, action: "status", method: "GET", status: 503, times: 1)]),
            .init(
                testDescription: "one 429 that wants a second of patience",
                faults: [
                    .init(
                        path: layers, action: "status", method: "GET", status: 429,
                        headers: ["Retry-After": "1"], times: 1)
                ]),
            .init(
                testDescription: "a layer that ends too early and says that it is whole",
                faults: [.init(path: layers, action: "truncate", method: "GET", at: 1 << 20, times: 3)]),
            .init(
                testDescription: "a wire that trickles",
                faults: [
                    .init(path: layers, action: "trickle", method: "GET", bytesPerSecond: 2 << 20)
                ]),
            .init(
                testDescription: "tokens that are good for two requests",
                gate: .init(scheme: "bearer", uses: 2)),
            .init(
                testDescription: "tokens by another name that end after a second",
                gate: .init(scheme: "bearer", seconds: 1, accessToken: true)),
            .init(
                testDescription: "layers that stand on another host, behind signed addresses",
                faults: [.init(path: layers, action: "redirect", location: store)],
                gate: .init(scheme: "bearer"),
                settings: ["upstream": ["redirect_hosts = [\"127.0.0.2\"]"]]),
            .init(
                testDescription: "layers on another host that cuts them off",
                faults: [
                    .init(path: layers, action: "cut", method: "GET", at: 1 << 20, times: 1),
                    .init(path: layers, action: "redirect", location: store),
                ],
                settings: ["upstream": ["redirect_hosts = [\"127.0.0.2\"]"]]),
        ]

        @Test("every client completes, and asks nobody else", arguments: troubles)
        func completes(trouble: Trouble) async throws {
            for kind in ContainerClientKind.allCases {
                let plan = RegistrySitePlan(settings: trouble.settings, store: "127.0.0.2:5004")
                try await withRegistrySite(plan) { site in
                    if let gate = trouble.gate { try await site.upstream.set(gate) }
                    try await site.upstream.set(trouble.faults)
                    try await site.pull(try TestImage.named("library/small:gzip"), with: kind)
                }
            }
        }

        @Test(
            "an answer that never comes costs a time-out, not the image",
            arguments: ContainerClientKind.allCases)
        func silence(kind: ContainerClientKind) async throws {
            try await withRegistrySite { site in
                try await site.upstream.set([
                    .init(path: Self.layers, action: "silence", method: "GET", times: 1)
                ])
                let image = try TestImage.named("library/small:gzip")
                let client = try await site.lab.client(kind)
                let clock = ContinuousClock()
                let deadline = clock.now + .seconds(60)
                var pull = try await client.pull(image.name)
                // What has a way round the node took it; the others find the registry awake when they come again.
                while !pull.succeeded, clock.now < deadline { pull = try await client.pull(image.name) }
                #expect(pull.succeeded, "\(pull.text)")
                #expect(try await client.holds(image, "amd64"))
            }
        }

        /// docker tries five times, for a minute.
        private static let quickToGiveUp = ContainerClientKind.allCases.filter {
            $0 != .docker || Project.isSoak
        }

        @Test("a wrong body is never completed and never kept", arguments: quickToGiveUp)
        func wrongBody(kind: ContainerClientKind) async throws {
            try await withRegistrySite { site in
                let image = try TestImage.named("library/small:gzip")
                let layer = try #require(image.platform("amd64").layers.max { $0.size < $1.size })
                let path = "/v2/\(image.repository)/blobs/\(layer.digest)"
                try await site.upstream.set([.init(path: path, action: "corrupt", method: "GET", at: 1 << 20)]
                )
                let client = try await site.lab.client(kind)
                let pull = try await client.pull(image.name)
                // containerd and docker may have found the layer elsewhere.
                let elsewhere = try await site.lab.fallbacks().contains { $0.path == path }
                #expect(pull.succeeded == elsewhere, "\(pull.text)")
                #expect(try await client.holds(image, "amd64") == elsewhere)
                for _ in 0..<2 {
                    let answer = try await site.fetch(path)
                    #expect(answer.status != 200 || answer.isShort, "a wrong body was completed")
                }

                try await site.upstream.behave()
                try await site.lab.forgetFallbacks()
                let answer = try await site.fetch(path)
                let same = try answer.body == TestImage.bytes(layer.digest)
                #expect(answer.status == 200 && same, "\(answer.status)")
                try await site.pull(image, with: kind)
            }
        }
    }
}
