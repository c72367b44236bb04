import Content

/// A partial on disk that nobody fills at the moment.
struct ParkedPartial: Sendable {
    let id: Int64
    let expected: Digest
    let size: Int64?
    let present: PresenceMap
    /// Bytes counted in the store's account.
    let reserved: Int64
}

/// The running ingests and the parked partials of a store.
struct IngestRegistry: Sendable {
    struct Weak: Sendable {
        weak let ingest: Ingest?
    }
    var running: [Int64: Weak] = [:]
    var parked: [Digest: ParkedPartial] = [:]
    var nextID: Int64 = 1
    var isClosed = false

    mutating func takeID() throws(StoreError) -> Int64 {
        if isClosed { throw .closed }
        defer { nextID += 1 }
        return nextID
    }
}
