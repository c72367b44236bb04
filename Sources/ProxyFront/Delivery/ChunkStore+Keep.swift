import ChunkStore
import Content

extension ChunkStore {
    /// Stores bytes that are in memory, in a pack or as a file of their own, whatever their size calls for.
    /// - Parameter sync: as for `put`; larger bytes are always durable when this returns.
    package func keep(_ bytes: [UInt8], as reference: Reference, sync: Bool) async throws {
        try await keep(bytes, expecting: Digest(of: bytes), references: [reference], sync: sync)
    }

    /// As `keep`, under a digest that the caller knows, with all of `references` in one commit: after a crash
    /// either all of them are there or none is.
    /// - Throws: `StoreError.digestMismatch` when `bytes` do not have the digest.
    package func keep(
        _ bytes: [UInt8], expecting digest: Digest, references: [Reference], sync: Bool
    ) async throws {
        if bytes.count <= configuration.smallObjectLimit {
            try await put(bytes, expecting: digest, references: references, sync: sync)
            return
        }
        let ingest = try await beginIngest(expected: digest, size: Int64(bytes.count))
        do {
            try await ingest.write(bytes, at: 0)
            _ = try await ingest.seal()
            _ = try await ingest.publish(references)
        } catch {
            await ingest.abandon()
            throw error
        }
    }
}
