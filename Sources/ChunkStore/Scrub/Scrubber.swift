import Content
import Logging

/// How far a walk over the whole store has come.
public struct VerifyProgress: Sendable, Equatable {
    public var blobs: Int64
    /// Bytes of those blobs.
    public var bytes: Int64
    public var totalBlobs: Int64
    public var totalBytes: Int64

    public init(blobs: Int64, bytes: Int64, totalBlobs: Int64, totalBytes: Int64) {
        self.blobs = blobs
        self.bytes = bytes
        self.totalBlobs = totalBlobs
        self.totalBytes = totalBytes
    }
}

/// What a walk over the whole store found. Everything damaged was dropped, to be fetched again on demand.
public struct VerifyReport: Sendable, Equatable {
    public struct Damage: Sendable, Equatable {
        public let digest: Digest
        public let what: String
    }
    public var blobs: Int64 = 0
    public var bytes: Int64 = 0
    public var damaged: [Damage] = []
    /// False when it was stopped before the end.
    public var isComplete = true
}

/// Walks over all that is held and drops what no longer matches its digest.
struct Scrubber: Sendable {
    let parts: StoreParts
    /// Where the reading is done.
    let thread: BlockingPool

    /// - Parameters:
    ///   - after: the row behind which to begin; 0 = with the first.
    ///   - pace: is told the bytes read; false stops the walk.
    ///   - progress: is told how far it came, after each blob, and the row it has done.
    func walk(
        after: Int64 = 0, pace: @escaping @Sendable (Int) -> Bool,
        progress: @Sendable (VerifyProgress, Int64) async -> Void
    ) async throws -> VerifyReport {
        let parts = parts
        let total = try await parts.readers.read { try $0.totals("blobs") }
        var report = VerifyReport()
        var row = after
        while true {
            let from = row
            let rows = try await parts.readers.read { try $0.blobs(after: from, limit: 256) }
            guard let last = rows.last else { return report }
            row = last.id
            for row in rows {
                switch try await thread.run({ try parts.check(row, pace: pace) }) {
                case .stopped:
                    report.isComplete = false
                    return report
                case .damaged(let what):
                    report.damaged.append(.init(digest: row.digest, what: what))
                    parts.logger.error(
                        "damaged blob dropped", metadata: ["blob": "\(row.digest)", "reason": "\(what)"])
                    parts.events.send(.damaged(row.digest, what: what))
                    try await parts.remove(row.digest, because: what)
                case .sound, .changed: break
                }
                report.blobs += 1
                report.bytes += row.size
                await progress(
                    VerifyProgress(
                        blobs: report.blobs, bytes: report.bytes, totalBlobs: total.count,
                        totalBytes: total.bytes), row.id)
            }
        }
    }
}
