import Testing

/// The clients pull from the registry itself, so that what fails elsewhere is not the surroundings.
extension ContainerTests {
    @Suite("without a node", .timeLimit(.minutes(5)))
    struct Harness {
        @Test(
            "every client pulls from the registry when its mirror is away",
            arguments: ContainerClientKind.allCases)
        func direct(kind: ContainerClientKind) async throws {
            let lab = try #require(ContainerLab.current)
            let image = try TestImage.named("library/small:gzip")
            let client = try await lab.client(kind)
            #expect(try await !client.holds(image, "amd64"))
            try await lab.forgetFallbacks()
            let pull = try await client.pull(image.name)
            #expect(pull.succeeded, "\(pull.text)")
            #expect(try await client.holds(image, "amd64"), "\(pull.text)")
            #expect(try await !lab.fallbacks().isEmpty)
        }

        @Test("nothing but loopback can be reached")
        func alone() async throws {
            let lab = try #require(ContainerLab.current)
            let routes = try await lab.network.run("/sbin/ip", ["route", "get", "192.0.2.1"])
            #expect(routes.code != 0, "\(routes.text)")
        }
    }
}
