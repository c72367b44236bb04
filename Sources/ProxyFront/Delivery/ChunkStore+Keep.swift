import ChunkStore
import Content

extension ChunkStore {
    /// Stores bytes that are in memory, in a pack or as a file of their own, whatever their size calls for.
    /// - Parameter sync: as for `put`; larger bytes are always durable when this returns.
    func keep(_ bytes: [UInt8], as reference: Reference, sync: Bool) async throws {
        if bytes.count <= configuration.smallObjectLimit {
            try await put(bytes, references: [reference], sync: sync)
            return
        }
        let ingest = try await beginIngest(size: Int64(bytes.count))
        do {
            try await ingest.write(bytes, at: 0)
            _ = try await ingest.seal()
            _ = try await ingest.publish([reference])
        } catch {
            await ingest.abandon()
            throw error
        }
    }
}
