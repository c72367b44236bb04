import ChunkStore
import ProxyFront
import Synchronization

/// What is held of images, counted at most now and then: monitors ask every few seconds, and counting walks over
/// every name.
final class HeldImagesMemory: Sendable {
    private static let lifetime = Duration.seconds(15)

    private struct State {
        var held: [String: HeldImages] = [:]
        var counted: ContinuousClock.Instant?
        var isCounting = false
    }

    private let store: ChunkStore
    private let state = Mutex(State())

    init(_ store: ChunkStore) { self.store = store }

    /// By registry. The first call counts; a later one gives what was counted last while somebody else counts.
    func held() async throws -> [String: HeldImages] {
        let now = ContinuousClock.now
        let known = state.withLock { state -> [String: HeldImages]? in
            if let counted = state.counted, state.isCounting || now - counted < Self.lifetime {
                return state.held
            }
            state.isCounting = true
            return nil
        }
        if let known { return known }
        defer { state.withLock { $0.isCounting = false } }
        let held = try await store.heldImages()
        state.withLock { ($0.held, $0.counted) = (held, now) }
        return held
    }
}
