import Synchronization

/// Remembers which credentials, unknown to the node, opened which repository upstream, so that private content
/// that is held is served to those who may have it and to nobody else (architecture section 7).
///
/// Credentials are kept as keyed hashes only. A verdict counts for a while, then upstream is asked again; while
/// upstream cannot be asked, a credential that was right goes on being right for the grace. Memory only: after
/// a restart every credential is proven anew.
public final class ProvenCredentials: Sendable {
    public struct Configuration: Sendable, Equatable {
        /// How long upstream's yes counts without asking again.
        public var freshFor: Duration = .seconds(300)
        /// How long upstream's no does.
        public var refusedFor: Duration = .seconds(30)
        /// How long a credential that was right stays so, from its last proof, while upstream cannot be asked.
        public var grace: Duration = .seconds(86_400)
        /// Pairs of credential and repository remembered at most; each of yes and no.
        public var limit = 16_384
        /// Proofs under way at most; further ones are not begun, and their credential counts as unproven.
        public var proofsAtMost = 64

        public init() {}
    }

    private enum Step {
        case known(Bool)
        case join(OneShot<Bool>)
        case prove(OneShot<Bool>)
    }

    private struct State {
        /// When each was proven last.
        var proven: ExpiringCache<KeyedHash.Value, ContinuousClock.Instant>
        var refused: ExpiringCache<KeyedHash.Value, Void>
        var guesses = AttemptLimiter(burst: 30, refill: .seconds(2))
        var proofs: [KeyedHash.Value: OneShot<Bool>] = [:]
    }

    private let configuration: Configuration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let hash = KeyedHash()
    private let state: Mutex<State>

    public convenience init(_ configuration: Configuration = Configuration()) {
        self.init(configuration, now: { .now })
    }

    package init(
        _ configuration: Configuration, now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.configuration = configuration
        self.now = now
        state = Mutex(
            State(
                proven: ExpiringCache(limit: configuration.limit),
                refused: ExpiringCache(limit: configuration.limit)))
    }

    /// Whether `credential` opens `repository`, by an earlier verdict or by `prove`.
    ///
    /// Asked by many at once, upstream is asked once. The proof goes on when the caller is cancelled, who then
    /// gets false.
    /// - Parameters:
    ///   - client: the address that brought the credential: one that keeps bringing wrong ones has no more of
    ///     them tried upstream for a while.
    ///   - prove: asks upstream for something of the repository with this credential, and returns when it was
    ///     given. A refusal of 401, 403 or 404 means that the credential does not open it; every other failure
    ///     means that upstream could not be asked.
    public func admits(
        _ credential: UpstreamCredential, to repository: Repository, client: String? = nil,
        prove: @escaping @Sendable () async throws(UpstreamFailure) -> Void
    ) async -> Bool {
        let key = key(credential, repository)
        let address = AddressBlock(client)
        switch step(key, address) {
        case .known(let verdict): return verdict
        case .join(let proof): return (try? await proof.value()) ?? false
        case .prove(let proof):
            Task.detached {
                var failure: UpstreamFailure?
                do throws(UpstreamFailure) { try await prove() } catch { failure = error }
                proof.fulfil(self.judge(failure, key, address))
            }
            return (try? await proof.value()) ?? false
        }
    }

    /// Forgets what is known of a credential, because upstream has just refused it.
    public func refused(_ credential: UpstreamCredential, to repository: Repository) {
        let key = key(credential, repository)
        state.withLock { refuse(key, &$0) }
    }

    private func key(_ credential: UpstreamCredential, _ repository: Repository) -> KeyedHash.Value {
        switch credential {
        case .basic(let user, let password): hash("basic", user, password, repository.description)
        case .bearer(let token): hash("bearer", token, repository.description)
        }
    }

    private func step(_ key: KeyedHash.Value, _ address: AddressBlock) -> Step {
        let now = now()
        return state.withLock { state in
            let proven = state.proven.value(for: key, now: now)
            if let proven, now - proven < configuration.freshFor { return .known(true) }
            if state.refused.value(for: key, now: now) != nil { return .known(false) }
            if let proof = state.proofs[key] { return .join(proof) }
            guard state.proofs.count < configuration.proofsAtMost,
                proven != nil || state.guesses.take(address, now: now) == nil
            else { return .known(proven != nil) }
            let proof = OneShot<Bool>()
            state.proofs[key] = proof
            return .prove(proof)
        }
    }

    private func judge(_ failure: UpstreamFailure?, _ key: KeyedHash.Value, _ address: AddressBlock) -> Bool {
        let now = now()
        return state.withLock { state in
            state.proofs[key] = nil
            switch failure {
            case nil:
                state.refused.remove(key)
                state.proven.set(now, for: key, until: now + max(configuration.grace, configuration.freshFor))
                state.guesses.giveBack(address, now: now)
                return true
            case .refused(let refusal) where [401, 403, 404, 410].contains(refusal.status):
                refuse(key, &state)
                return false
            default:
                // Upstream being away is nobody's wrong guess.
                state.guesses.giveBack(address, now: now)
                return state.proven.value(for: key, now: now) != nil
            }
        }
    }

    private func refuse(_ key: KeyedHash.Value, _ state: inout State) {
        state.proven.remove(key)
        state.refused.set((), for: key, until: now() + configuration.refusedFor)
    }
}
