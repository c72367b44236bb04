import ProxyFront
import Synchronization
import Testing

@Suite("Proven credentials") struct ProvenCredentialsTests {
    /// An upstream that says what it is told to, counts, and may wait at a gate.
    private final class Registry: Sendable {
        let clock = Mutex(ContinuousClock.now)
        let answer = Mutex<UpstreamFailure?>(nil)
        let asked = Mutex(0)
        let gate = FaultUpstream.Gate()

        func advance(_ span: Duration) { clock.withLock { $0 += span } }
        func say(_ failure: UpstreamFailure?) { answer.withLock { $0 = failure } }
        var count: Int { asked.withLock { $0 } }

        func proven(_ change: (inout ProvenCredentials.Configuration) -> Void = { _ in }) -> ProvenCredentials
        {
            var configuration = ProvenCredentials.Configuration()
            change(&configuration)
            return ProvenCredentials(configuration) { self.clock.withLock { $0 } }
        }

        func prove() async throws(UpstreamFailure) {
            asked.withLock { $0 += 1 }
            if let failure = answer.withLock({ $0 }) { throw failure }
        }

        static func refusal(_ status: Int) -> UpstreamFailure {
            .refused(UpstreamRefusal(upstream: "registry", status: status))
        }

        static let away = UpstreamFailure.unreachable(upstream: "registry", reason: "no route")
    }

    private let credential = UpstreamCredential.basic(user: "hub", password: "secret")

    private func repository(_ text: String = "corp.example/team/app") throws -> Repository {
        try ImageReference(parsing: text).repository
    }

    private func ask(
        _ proven: ProvenCredentials, _ registry: Registry, _ credential: UpstreamCredential? = nil,
        to repository: String = "corp.example/team/app", client: String? = nil
    ) async throws -> Bool {
        await proven.admits(
            credential ?? self.credential, to: try self.repository(repository), client: client
        ) { () async throws(UpstreamFailure) in try await registry.prove() }
    }

    @Test("are asked about once in five minutes, and count for one repository and one credential")
    func fresh() async throws {
        let registry = Registry()
        let proven = registry.proven()
        for _ in 0..<5 { #expect(try await ask(proven, registry)) }
        #expect(registry.count == 1)
        registry.say(Registry.refusal(403))
        #expect(try await !ask(proven, registry, to: "corp.example/team/other"))
        #expect(try await !ask(proven, registry, .basic(user: "hub", password: "Secret")))
        #expect(try await !ask(proven, registry, .bearer(token: "secret")))
        #expect(try await !ask(proven, registry, .basic(user: "hubs", password: "ecret")))
        #expect(registry.count == 5)
        #expect(try await ask(proven, registry), "the first verdict is still fresh")
        registry.advance(.seconds(300))
        #expect(try await !ask(proven, registry), "upstream's later no counts at once")
        registry.say(Registry.away)
        registry.advance(.seconds(31))
        #expect(try await !ask(proven, registry), "and leaves nothing for the grace")
    }

    @Test("are refused for half a minute without asking again", arguments: [401, 403, 404, 410])
    func refused(status: Int) async throws {
        let registry = Registry()
        let proven = registry.proven()
        registry.say(Registry.refusal(status))
        for _ in 0..<5 { #expect(try await !ask(proven, registry)) }
        #expect(registry.count == 1)
        registry.say(nil)
        registry.advance(.seconds(30))
        #expect(try await ask(proven, registry))
    }

    @Test(
        "go on being right for the grace while upstream cannot be asked",
        arguments: [Registry.away, Registry.refusal(503), Registry.refusal(429), .cancelled])
    private func grace(failure: UpstreamFailure) async throws {
        let registry = Registry()
        let proven = registry.proven { $0.grace = .seconds(3600) }
        #expect(try await ask(proven, registry))
        registry.say(failure)
        registry.advance(.seconds(3599))
        #expect(try await ask(proven, registry))
        #expect(registry.count == 2)
        #expect(try await !ask(proven, registry, .bearer(token: "never proven")))
        registry.advance(.seconds(1))
        #expect(try await !ask(proven, registry), "the grace counts from the last proof")
        registry.say(nil)
        #expect(try await ask(proven, registry))
    }

    @Test("that many bring at once are proven once")
    func together() async throws {
        let registry = Registry()
        let proven = registry.proven()
        let (credential, repository) = (credential, try repository())
        let verdicts = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    await proven.admits(credential, to: repository) { () async throws(UpstreamFailure) in
                        await withCheckedContinuation { done in registry.gate.whenOpen { done.resume() } }
                        try await registry.prove()
                    }
                }
            }
            registry.gate.open()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.allSatisfy { $0 })
        #expect(registry.count == 1)
    }

    @Test("are not tried for a while from an address that keeps bringing wrong ones")
    func guesses() async throws {
        let registry = Registry()
        let proven = registry.proven()
        #expect(try await ask(proven, registry, client: "192.0.2.1"))
        registry.say(Registry.refusal(401))
        for number in 0..<100 {
            _ = try await ask(proven, registry, .bearer(token: "guess \(number)"), client: "192.0.2.1")
        }
        #expect(registry.count == 31)
        #expect(try await ask(proven, registry, client: "192.0.2.1"), "what is known needs no asking")
        registry.say(nil)
        #expect(try await ask(proven, registry, .bearer(token: "other"), client: "192.0.2.2"))
    }

    @Test("are remembered for as many as are given, the oldest going first")
    func bounded() async throws {
        let registry = Registry()
        let proven = registry.proven { $0.limit = 8 }
        for number in 0..<9 { _ = try await ask(proven, registry, .bearer(token: "\(number)")) }
        registry.say(Registry.away)
        #expect(try await !ask(proven, registry, .bearer(token: "0")))
        for number in 1..<9 { #expect(try await ask(proven, registry, .bearer(token: "\(number)"))) }
    }

    @Test("that upstream has just refused are forgotten")
    func forgotten() async throws {
        let registry = Registry()
        let proven = registry.proven()
        #expect(try await ask(proven, registry))
        proven.refused(credential, to: try repository())
        #expect(try await !ask(proven, registry))
        #expect(registry.count == 1)
    }
}
