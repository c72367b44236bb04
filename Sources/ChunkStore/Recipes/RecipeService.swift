import Content
import Logging
import Synchronization

/// Opens folded blobs for reading, sees which of them are hot, and drops what cannot be rebuilt any more.
final class RecipeService: RecipeOpener {
    private let parts: StoreParts
    private let policy: Mutex<UnfoldPolicy>
    private let damaged = Mutex<Set<Int64>>([])
    /// Is told a blob that is to become whole again; does not block.
    private let becameHot: @Sendable (Digest) -> Void

    init(_ parts: StoreParts, becameHot: @escaping @Sendable (Digest) -> Void) {
        self.parts = parts
        self.becameHot = becameHot
        policy = Mutex(UnfoldPolicy(window: parts.configuration.upkeep.unfoldWindow))
    }

    func open(_ blob: BlobRow, with connection: Connection) throws -> (any RecipeReader)? {
        guard let reader = try parts.recipeReader(for: blob, with: connection) else { return nil }
        let now = parts.clock.milliseconds()
        if policy.withLock({ $0.read(blob.digest, now: now) }) { becameHot(blob.digest) }
        return reader
    }

    /// Every blob whose recipe uses the chunk is dropped, and with the last of them the chunk: each is fetched
    /// again on demand, and a later fold stores the chunk anew.
    func chunkIsDamaged(_ number: Int64) {
        guard damaged.withLock({ $0.insert(number).inserted }) else { return }
        let parts = parts
        Task {
            do {
                let users = try await parts.readers.read { try $0.blobs(usingChunk: number) }
                for user in users {
                    parts.events.send(.damaged(user.digest, what: "chunk \(number) does not verify"))
                    try await parts.remove(user.digest, because: "a chunk of it does not verify")
                }
            } catch {
                parts.logger.error(
                    "cannot drop what a damaged chunk belongs to", metadata: ["reason": "\(error)"])
            }
            _ = damaged.withLock { $0.remove(number) }
        }
    }
}
