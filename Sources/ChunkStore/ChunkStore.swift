import Content
import Logging
import Synchronization

/// A content-addressed store in one directory: blobs named by digest, references that point at them
/// (docs/store-format.md).
///
/// What is published survives a crash; what is not yet published may be lost, nothing else. All waiting happens on
/// the store's own threads.
public final class ChunkStore: Sendable {
    package let parts: StoreParts
    let upkeep: Upkeep
    /// The directory's lock, until the store is closed.
    private let lock: Mutex<OpenFile?>
    private let isClosed = Mutex(false)

    init(parts: StoreParts, upkeep: Upkeep, lock: OpenFile) {
        self.parts = parts
        self.upkeep = upkeep
        self.lock = Mutex(lock)
    }

    public var configuration: Configuration { parts.configuration }

    /// Calls `handler` at every event from now on, on the thread where the event happens: it must be quick.
    public func observe(_ handler: @escaping @Sendable (StoreEvent) -> Void) {
        parts.events.add(handler)
    }

    /// Commits what waits, parks the running ingests, closes the index and lets the directory go. Calls that
    /// come later throw `StoreError.closed`.
    public func close() async {
        let first = isClosed.withLock { closed in
            defer { closed = true }
            return !closed
        }
        guard first else { return }
        await upkeep.stop()
        let running = parts.ingests.withLock { registry in
            registry.isClosed = true
            return registry.running.values.compactMap(\.ingest)
        }
        for ingest in running { await ingest.park() }
        await flushTouches()
        do {
            try await parts.writer.transaction { stage in
                try stage.settleUnlinks()
                try stage.connection.run("UPDATE state SET value = 1 WHERE key = 'clean'")
            }
        } catch {
            parts.logger.warning(
                "the store is not closed cleanly: the next open looks for what is left over",
                metadata: ["reason": "\(error)"])
        }
        let parts = parts
        await Thread.run {
            parts.readers.close()
            parts.writer.stop()
            parts.workers.stop()
            parts.pool.stop()
        }
        lock.withLock { lock in
            if let held = lock { parts.files.unlock(held) }
            lock = nil
        }
    }
}
