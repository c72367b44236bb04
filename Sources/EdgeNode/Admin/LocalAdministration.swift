import ChunkStore
import ProxyFront

/// The administration of a store that this process has open.
package struct LocalAdministration: StoreAdministration {
    private let store: ChunkStore

    package init(store: ChunkStore) { self.store = store }

    package func pin(_ pattern: String) async throws { try await store.pin(pattern) }

    package func unpin(_ pattern: String) async throws -> Bool { try await store.unpin(pattern) }

    /// Those that operators made; what the node pins for itself is not theirs to take back.
    package func pins() async throws -> [String] {
        try await store.pins().filter { !$0.hasPrefix(PinnedSums.prefix) }
    }

    package func verify(
        _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> VerifySummary {
        let report = try await store.verify { state in
            progress(
                WorkProgress(
                    done: Int(clamping: state.blobs), total: Int(clamping: state.totalBlobs),
                    bytes: state.bytes))
        }
        return VerifySummary(
            objects: Int(clamping: report.blobs), bytes: report.bytes,
            damaged: report.damaged.map { "\($0.digest): \($0.what)" }, isComplete: report.isComplete)
    }

    package func collect() async throws -> CollectSummary {
        let freed = try await store.collectGarbage()
        let totals = try await store.totals()
        return CollectSummary(freedBytes: freed, storeBytes: totals.usedBytes, objects: totals.objects)
    }
}
