import ChunkStore
import NIOPosix
import Synchronization

/// Checks passwords against their hashes: one at a time, on a thread of its own, and each pair of name and
/// password only once in a while.
///
/// A hash costs tens of milliseconds and 16 MiB, which is its purpose and makes it a weapon: the queue is
/// bounded, an address has a budget of wrong guesses, and what was found out is remembered under a keyed hash.
package final class PasswordChecker: Sendable {
    package struct Configuration: Sendable, Equatable {
        /// How long a right password counts without being hashed again.
        package var rightFor: Duration = .seconds(600)
        /// How long a wrong one does.
        package var wrongFor: Duration = .seconds(30)
        /// Pairs remembered at most; each of right and wrong.
        package var limit = 1024
        /// Checks that may wait or run.
        package var queue = 16

        package init() {}
    }

    package enum Verdict: Sendable, Equatable {
        case right
        case wrong
        /// The queue is full.
        case busy
        /// The address has guessed wrong too often; its next guess is taken after this.
        case tooManyGuesses(Duration)
    }

    private enum Step {
        case known(Verdict)
        case join(OneShot<Bool>)
        case check(OneShot<Bool>)
    }

    private struct State {
        var right: ExpiringCache<KeyedHash.Value, Void>
        var wrong: ExpiringCache<KeyedHash.Value, Void>
        var guesses = AttemptLimiter()
        var checks: [KeyedHash.Value: OneShot<Bool>] = [:]
    }

    private let configuration: Configuration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let verify: @Sendable (PasswordHash, String) -> Bool
    private let hash = KeyedHash()
    private let thread: BlockingPool
    private let state: Mutex<State>

    /// - Parameter verify: blocks; called on the checker's own thread.
    package init(
        _ configuration: Configuration = Configuration(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        verify: @escaping @Sendable (PasswordHash, String) -> Bool = { $0.matches($1) }
    ) throws {
        self.configuration = configuration
        self.now = now
        self.verify = verify
        thread = try BlockingPool(name: "passwords", threads: 1)
        state = Mutex(
            State(
                right: ExpiringCache(limit: configuration.limit),
                wrong: ExpiringCache(limit: configuration.limit)))
    }

    /// Ends the thread, once the checks that were begun are done.
    package func stop() async {
        let thread = thread
        try? await NIOThreadPool.singleton.runIfActive { thread.stop() }
    }

    /// Checks that wait or run.
    package var waiting: Int { state.withLock { $0.checks.count } }

    /// What is known without hashing. Legal on an event loop.
    package func known(_ user: String, _ password: String, _ stored: PasswordHash) -> Verdict? {
        let key = hash(user, password, stored.text)
        let now = now()
        return state.withLock { verdict(key, $0, now) }
    }

    private func verdict(
        _ key: KeyedHash.Value, _ state: borrowing State, _ now: ContinuousClock.Instant
    ) -> Verdict? {
        if state.right.value(for: key, now: now) != nil { return .right }
        return state.wrong.value(for: key, now: now) != nil ? .wrong : nil
    }

    /// Whether `password` is the one that `stored` is the hash of. Many who bring the same are one check.
    /// - Parameter client: the address, whose guess it is.
    package func check(
        _ user: String, _ password: String, _ stored: PasswordHash, client: String?
    ) async -> Verdict {
        let key = hash(user, password, stored.text)
        let address = AddressBlock(client)
        let check: OneShot<Bool>
        switch step(key, address) {
        case .known(let verdict): return verdict
        case .join(let running): check = running
        case .check(let begun):
            check = begun
            thread.submit {
                let isRight = self.verify(stored, password)
                self.found(isRight, key, address)
                begun.fulfil(isRight)
            }
        }
        // Nobody is left to tell when the caller was cancelled.
        guard let isRight = try? await check.value() else { return .busy }
        return isRight ? .right : .wrong
    }

    private func step(_ key: KeyedHash.Value, _ address: AddressBlock) -> Step {
        let now = now()
        return state.withLock { state in
            if let known = verdict(key, state, now) { return .known(known) }
            if let running = state.checks[key] { return .join(running) }
            guard state.checks.count < configuration.queue else { return .known(.busy) }
            if let wait = state.guesses.take(address, now: now) { return .known(.tooManyGuesses(wait)) }
            let check = OneShot<Bool>()
            state.checks[key] = check
            return .check(check)
        }
    }

    private func found(_ isRight: Bool, _ key: KeyedHash.Value, _ address: AddressBlock) {
        let now = now()
        state.withLock { state in
            state.checks[key] = nil
            if isRight {
                state.right.set((), for: key, until: now + configuration.rightFor)
                state.guesses.giveBack(address, now: now)
            } else {
                state.wrong.set((), for: key, until: now + configuration.wrongFor)
            }
        }
    }
}
