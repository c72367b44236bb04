import ProxyFront
import Synchronization
import Testing

@Suite("Passwords") struct PasswordCheckerTests {
    /// A well-formed hash that nothing is checked against here.
    static let stored =
        "$argon2id$v=19$m=16384,t=3,p=1$5gMzlXPGps75l94pROO0Gw$M0TES9MuXCEc3sDJZqoYKN+WC9tdK6xfOMPE3jvmiAQ"

    /// A checker whose hashing is a comparison behind a gate, and a clock that stands.
    private final class Bench: Sendable {
        let hashed = Mutex<[String]>([])
        let clock = Mutex(ContinuousClock.now)
        let gate = FaultUpstream.Gate()
        let running = Mutex((now: 0, most: 0))

        func checker(gated: Bool = false, queue: Int = 16) throws -> PasswordChecker {
            var configuration = PasswordChecker.Configuration()
            configuration.queue = queue
            return try PasswordChecker(configuration) {
                self.clock.withLock { $0 }
            } verify: { _, password in
                self.running.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                if gated { self.gate.waitHere() }
                self.hashed.withLock { $0.append(password) }
                self.running.withLock { $0.now -= 1 }
                return password == "right"
            }
        }

        var count: Int { hashed.withLock { $0.count } }
        func advance(_ span: Duration) { clock.withLock { $0 += span } }
    }

    private func hash() throws -> PasswordHash { try PasswordHash(parsing: Self.stored) }

    @Test("that are right are hashed once in ten minutes")
    func right() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker()
        #expect(checker.known("a", "right", hash) == nil)
        for _ in 0..<5 { #expect(await checker.check("a", "right", hash, client: nil) == .right) }
        #expect(checker.known("a", "right", hash) == .right)
        #expect(checker.known("b", "right", hash) == nil, "what was found out is one user's")
        #expect(bench.count == 1)
        bench.advance(.seconds(599))
        #expect(checker.known("a", "right", hash) == .right)
        bench.advance(.seconds(2))
        #expect(checker.known("a", "right", hash) == nil)
        #expect(await checker.check("a", "right", hash, client: nil) == .right)
        #expect(bench.count == 2)
        await checker.stop()
    }

    @Test("that are wrong are hashed once in half a minute, and never stay wrong")
    func wrong() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker()
        for _ in 0..<20 { #expect(await checker.check("a", "wrong", hash, client: "192.0.2.1") == .wrong) }
        #expect(bench.count == 1, "one wrong password that is sent again and again is one guess")
        bench.advance(.seconds(31))
        #expect(checker.known("a", "wrong", hash) == nil)
        #expect(await checker.check("a", "wrong", hash, client: "192.0.2.1") == .wrong)
        #expect(bench.count == 2)
        await checker.stop()
    }

    @Test("are remembered together with the hash they were right for")
    func changed() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker()
        #expect(await checker.check("a", "right", hash, client: nil) == .right)
        let other = try PasswordHash(parsing: Self.stored.replacing("5gMz", with: "6gMz"))
        #expect(checker.known("a", "right", other) == nil)
        await checker.stop()
    }

    @Test("that many bring at once are one check")
    func together() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker(gated: true, queue: 1)
        let verdicts = await withTaskGroup(of: PasswordChecker.Verdict.self) { group in
            for _ in 0..<32 { group.addTask { await checker.check("a", "right", hash, client: nil) } }
            bench.gate.open()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(verdicts.allSatisfy { $0 == .right })
        #expect(bench.count == 1)
        await checker.stop()
    }

    @Test("are checked one at a time, and turned away when too many wait")
    func queue() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker(gated: true, queue: 4)
        let waiting = (0..<4).map { number in
            Task { await checker.check("user\(number)", "right", hash, client: "192.0.2.\(number)") }
        }
        try await waitUntil { checker.waiting == 4 }
        #expect(await checker.check("late", "right", hash, client: "192.0.2.9") == .busy)
        #expect(await checker.check("late", "wrong", hash, client: "192.0.2.9") == .busy)
        bench.gate.open()
        for task in waiting { #expect(await task.value == .right) }
        #expect(bench.count == 4)
        #expect(bench.running.withLock { $0.most } == 1)
        #expect(await checker.check("late", "right", hash, client: "192.0.2.9") == .right)
        await checker.stop()
    }

    @Test("may be guessed wrong ten times from one address, then once in six seconds")
    func guesses() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker()
        #expect(await checker.check("a", "right", hash, client: "192.0.2.1") == .right)
        for number in 0..<10 {
            #expect(await checker.check("a", "guess\(number)", hash, client: "192.0.2.1") == .wrong)
        }
        guard case .tooManyGuesses(let wait) = await checker.check("a", "11", hash, client: "192.0.2.1")
        else {
            Issue.record("the eleventh guess was taken")
            return
        }
        #expect(wait > .zero && wait <= .seconds(6))
        #expect(await checker.check("a", "right", hash, client: "192.0.2.1") == .right, "it is remembered")
        #expect(await checker.check("a", "12", hash, client: "192.0.2.2") == .wrong, "another address")
        bench.advance(.seconds(6))
        #expect(await checker.check("a", "13", hash, client: "192.0.2.1") == .wrong)
        if case .tooManyGuesses = await checker.check("a", "14", hash, client: "192.0.2.1") {
        } else {
            Issue.record("a second guess was taken after six seconds")
        }
        #expect(bench.count == 13)
        await checker.stop()
    }

    @Test("are counted by the /64 of an IPv6 address")
    func sites() async throws {
        let (bench, hash) = (Bench(), try hash())
        let checker = try bench.checker()
        for number in 0..<10 {
            let client = "2001:db8::\(number)"
            #expect(await checker.check("a", "guess\(number)", hash, client: client) == .wrong)
        }
        if case .tooManyGuesses = await checker.check("a", "11", hash, client: "2001:db8::ffff") {
        } else {
            Issue.record("another address of the same /64 has guesses of its own")
        }
        #expect(await checker.check("a", "11", hash, client: "2001:db8:0:1::1") == .wrong)
        await checker.stop()
    }

    @Test("match the hash that was made of them, and no other")
    func hashes() throws {
        let hash = try PasswordHash.make(of: "correct horse")
        #expect(hash.text.hasPrefix("$argon2id$v=19$m=16384,t=3,p=1$"))
        #expect(hash.matches("correct horse"))
        #expect(!hash.matches("correct horse "))
        #expect(!hash.matches(""))
        #expect(try PasswordHash.make(of: "correct horse") != hash, "each has a salt of its own")
        #expect(throws: PasswordHashError.self) { try PasswordHash.make(of: "") }
    }

    @Test(
        "come with hashes of known strength only",
        arguments: [
            ("$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH", "65536 KiB"),
            ("$argon2id$v=19$m=1024,t=3,p=1$SALT$HASH", "out of range"),
            ("$argon2id$v=19$m=16384,t=0,p=1$SALT$HASH", "parameters"),
            ("$argon2id$v=19$m=16384,t=99,p=1$SALT$HASH", "out of range"),
            ("$argon2id$v=19$m=16384,t=3,p=4$SALT$HASH", "parameters"),
            ("$argon2id$v=19$m=99999999999999999999,t=3,p=1$SALT$HASH", "parameters"),
            ("$argon2id$v=16$m=16384,t=3,p=1$SALT$HASH", "version"),
            ("$argon2i$v=19$m=16384,t=3,p=1$SALT$HASH", "no Argon2id"),
            ("$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe", "no Argon2id"),
            ("$argon2id$v=19$m=16384,t=3,p=1$SALT$short", "garbled"),
            ("$argon2id$v=19$m=16384,t=3,p=1$SALT$HASH$more", "no Argon2id"), ("hunter2", "no Argon2id"),
        ])
    func strength(form: String, says: String) throws {
        let text = form.replacing("SALT", with: "5gMzlXPGps75l94pROO0Gw")
            .replacing("HASH", with: "M0TES9MuXCEc3sDJZqoYKN+WC9tdK6xfOMPE3jvmiAQ")
        let error = try #require(throws: PasswordHashError.self) { try PasswordHash(parsing: text) }
        #expect(error.description.contains(says), "\(error)")
        #expect(error.description.contains("edgenode password"))
        #expect(!error.description.contains("hunter2"))
    }
}
