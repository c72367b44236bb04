import ArgumentParser
import ChunkStore
import Logging
import ProxyFront

/// The way to the store: through the running node, else directly.
enum StoreAccess {
    /// Does `body` with the store of the configuration.
    ///
    /// A running node is asked to do the work itself; only when none answers is the store opened here, which
    /// its lock permits to one process at a time.
    static func withStore<Result>(
        _ configuration: Configuration, _ body: (any StoreAdministration) async throws -> Result
    ) async throws -> Result {
        let folder = DataFolder(configuration.node.dataDirectory)
        if let file = try RunFile.read(from: folder.runFile) {
            do {
                return try await body(NodeClient(file))
            } catch is NodeClient.Unreachable {
                // The node ended without taking its run file along: the store is free, or its lock will tell.
            }
        }
        try folder.create()
        let logger = LogOutput(LogSettings(format: .human, level: .warning), environment: [:]).logger("store")
        let auditFile = try FileAuditLog.open(configuration, folder, logger: logger)
        let store: ChunkStore
        do {
            store = try await ChunkStore.open(configuration.storeConfiguration, logger: logger)
        } catch {
            auditFile?.close()
            throw CommandFailure(.unavailable, "the store in \(folder.store) cannot be opened: \(error)")
        }
        store.keepPinnedImagesWhole()
        do {
            let result = try await body(
                LocalAdministration(store: store) {
                    try await Transfers.alone(
                        configuration, store: store, key: try KeyCommand.key(in: folder),
                        audit: auditFile ?? NoAuditLog(),
                        logger: logger)
                })
            await store.close()
            auditFile?.close()
            return result
        } catch {
            await store.close()
            auditFile?.close()
            throw error
        }
    }
}
