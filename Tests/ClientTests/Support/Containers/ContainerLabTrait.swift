import Testing

/// Gives a suite a `ContainerLab`, started once.
struct ContainerLabTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let lab = try await ContainerLab.start()
        do { try await ContainerLab.$current.withValue(lab) { try await function() } } catch {
            try await lab.stop()
            throw error
        }
        try await lab.stop()
    }
}

extension Trait where Self == ContainerLabTrait {
    static var containerLab: Self { Self() }
}

/// All tests with container clients, one after the other: they share two daemons and the mirror's port.
@Suite("Container clients", .serialized, .containerLab)
enum ContainerTests {}
