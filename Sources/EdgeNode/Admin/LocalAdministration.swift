import ChunkStore
import ProxyFront

/// The administration of a store that this process has open.
package struct LocalAdministration: StoreAdministration {
    private let store: ChunkStore
    /// Made when they are needed: most commands move nothing.
    private let transfers: @Sendable () async throws -> Transfers

    package init(store: ChunkStore, transfers: @escaping @Sendable () async throws -> Transfers) {
        self.store = store
        self.transfers = transfers
    }

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

    package func importing(
        _ request: ImportRequest, _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> ImportSummary {
        try await transfers().importer.run(request, progress)
    }

    package func planExport(_ request: ExportRequest) async throws -> ExportSummary {
        try await transfers().exporter.plan(request).summary
    }

    package func export(_ request: ExportRequest) async throws -> (byteCount: Int64, body: any BodyProducer) {
        let transfers = try await transfers()
        let (summary, manifest) = try await transfers.exporter.plan(request)
        guard summary.refused.isEmpty else {
            throw CommandFailure(.incomplete, summary.refused.joined(separator: "\n"))
        }
        let body = try transfers.exporter.bundle(manifest, key: transfers.key)
        return (body.byteCount, body)
    }

    package func inventory() async throws -> any BodyProducer { InventoryBody(store) }
}
