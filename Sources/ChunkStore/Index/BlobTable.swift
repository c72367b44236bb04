import Content

/// Where a blob's bytes stand.
package enum BlobPlace: Int64, Sendable {
    /// A file of its own below `blobs/`.
    case file = 0
    /// One record of a pack.
    case record = 1
    /// Chunks in packs, joined by a recipe.
    case recipe = 2
}

/// A row of the index's table of blobs.
package struct BlobRow: Sendable, Equatable {
    package let id: Int64
    package let digest: Digest
    package let size: Int64
    package let place: BlobPlace
    /// Set exactly when `place` is `.record`.
    package let record: Int64?
    /// Milliseconds since 1970.
    package let created: Int64
    package let used: Int64
    package let hits: Int64
    package let access: AccessClass
    /// Never settled nor folded, whatever its bytes look like.
    package let staysWhole: Bool
}

extension Connection {
    private static let blobColumns = "id, digest, size, place, record, created, used, hits, access, whole"

    private func readBlob(_ row: Statement) throws(StoreError) -> BlobRow {
        BlobRow(
            id: row.integer(0), digest: try row.digest(1), size: row.integer(2),
            place: BlobPlace(rawValue: row.integer(3)) ?? .file,
            record: row.isNull(4) ? nil : row.integer(4), created: row.integer(5), used: row.integer(6),
            hits: row.integer(7), access: AccessClass(rawValue: Int(row.integer(8))) ?? .private,
            staysWhole: row.integer(9) != 0)
    }

    package func blob(_ digest: Digest) throws(StoreError) -> BlobRow? {
        try first(
            "SELECT \(Self.blobColumns) FROM blobs WHERE digest = ?", .digest(digest), read: readBlob)
    }

    package func blob(id: Int64) throws(StoreError) -> BlobRow? {
        try first("SELECT \(Self.blobColumns) FROM blobs WHERE id = ?", .integer(id), read: readBlob)
    }

    /// At most `limit` blobs whose row id is above `after`, in the order of row ids: a walk that never holds
    /// a transaction open.
    package func blobs(after: Int64, limit: Int) throws(StoreError) -> [BlobRow] {
        try all(
            "SELECT \(Self.blobColumns) FROM blobs WHERE id > ? ORDER BY id LIMIT ?", .integer(after),
            .integer(limit), read: readBlob)
    }

    /// Adds a blob and gives its row id.
    package func insertBlob(
        _ digest: Digest, size: Int64, place: BlobPlace, record: Int64?, now: Int64
    ) throws(StoreError) -> Int64 {
        try run(
            "INSERT INTO blobs(digest, size, place, record, created, used) VALUES (?, ?, ?, ?, ?, ?)",
            .digest(digest), .integer(size), .integer(place.rawValue), record.map { .integer($0) } ?? .null,
            .integer(now), .integer(now))
        return lastInsertedRow
    }

    /// Has a blob never be settled nor folded.
    package func keepWhole(blob id: Int64) throws(StoreError) {
        try run("UPDATE blobs SET whole = 1 WHERE id = ?", .integer(id))
    }

    /// Drops the blob's row; triggers drop its record and its references.
    package func deleteBlob(id: Int64) throws(StoreError) {
        try run("DELETE FROM blobs WHERE id = ?", .integer(id))
    }

    package func totals(_ name: String) throws(StoreError) -> (count: Int64, bytes: Int64) {
        try first("SELECT count, bytes FROM totals WHERE name = ?", .text(name)) {
            ($0.integer(0), $0.integer(1))
        } ?? (0, 0)
    }
}
