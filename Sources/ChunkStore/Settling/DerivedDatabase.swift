import Content

/// How settling a blob ended.
package enum Settlement: Int64, Sendable {
    /// It was cut; its chunks are listed.
    case cut = 0
    /// Its format is not worth cutting.
    case notWorthwhile = 1
    /// It claims a format that it does not keep to.
    case odd = 2
}

/// `derived.sqlite`: which chunks the whole blobs hold, and where. All of it can be worked out again from the
/// blobs, so that it is hardly ever synced, and thrown
/// away when anything is wrong with it.
final class DerivedDatabase {
    private static let version = 1
    private static let schema = """
        CREATE TABLE settled(
            blob INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            settlement INTEGER NOT NULL);
        CREATE TABLE places(
            chunk BLOB NOT NULL,
            blob INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            length INTEGER NOT NULL,
            PRIMARY KEY(chunk, blob, offset)) WITHOUT ROWID;
        CREATE INDEX places_of_blob ON places(blob);
        PRAGMA user_version = \(version);
        """

    private let connection: Connection

    /// Opens the database, making it anew when it is missing, damaged or of another version. Blocks.
    convenience init(_ parts: StoreParts) throws {
        do { self.init(connection: try Self.open(parts)) } catch { try self.init(anew: parts) }
    }

    /// Throws away what is there. Blocks.
    convenience init(anew parts: StoreParts) throws {
        for suffix in ["-wal", "-shm", "-journal", ""] {
            do throws(FileError) { try parts.files.unlink(parts.layout.derived + suffix) } catch {
                if !error.isNotFound { throw StoreError(error) }
            }
        }
        self.init(connection: try Self.open(parts))
    }

    private init(connection: Connection) { self.connection = connection }

    private static func open(_ parts: StoreParts) throws -> Connection {
        let connection = try Connection(path: parts.layout.derived, writable: true, files: parts.databases)
        try connection.run("PRAGMA journal_mode = WAL")
        try connection.run("PRAGMA synchronous = NORMAL")
        let found = try connection.first("PRAGMA user_version") { Int($0.integer(0)) } ?? 0
        if found == 0 {
            try connection.run(schema)
        } else if found != version {
            throw StoreError.newerFormat(what: parts.layout.derived, found: found, supported: version)
        }
        return connection
    }

    /// Blobs that are settled: at most `limit` of those whose row is above `after`.
    func settled(after: Int64, limit: Int) throws -> [(row: Int64, digest: Digest)] {
        try connection.all(
            "SELECT blob, digest FROM settled WHERE blob > ? ORDER BY blob LIMIT ?", .integer(after),
            .integer(limit)
        ) { row throws(StoreError) in (row.integer(0), try row.digest(1)) }
    }

    func settlement(of digest: Digest) throws -> Settlement? {
        try connection.first("SELECT settlement FROM settled WHERE digest = ?", .digest(digest)) {
            Settlement(rawValue: $0.integer(0))
        } ?? nil
    }

    func record(
        _ settlement: Settlement, of digest: Digest, chunks: [(id: ChunkID, range: Range<Int64>)]
    ) throws {
        try transaction {
            try drop(digest)
            try connection.run(
                "INSERT INTO settled(digest, settlement) VALUES (?, ?)", .digest(digest),
                .integer(settlement.rawValue))
            let blob = connection.lastInsertedRow
            for chunk in chunks {
                try connection.run(
                    "INSERT OR IGNORE INTO places VALUES (?, ?, ?, ?)", .blob(chunk.id.bytes), .integer(blob),
                    .integer(chunk.range.lowerBound), .integer(Int64(chunk.range.count)))
            }
        }
    }

    func forget(_ digest: Digest) throws { try transaction { try drop(digest) } }

    /// Bytes of the blob's chunks that other settled blobs hold too.
    func shared(of digest: Digest) throws -> Int64 {
        try connection.first(
            """
            SELECT total(length) FROM places AS mine JOIN settled ON settled.blob = mine.blob
            WHERE settled.digest = ? AND EXISTS (SELECT 1 FROM places AS other
                WHERE other.chunk = mine.chunk AND other.blob <> mine.blob)
            """, .digest(digest)
        ) { $0.integer(0) } ?? 0
    }

    /// Where whole blobs hold a chunk.
    func places(of chunk: ChunkID) throws -> [(digest: Digest, offset: Int64, length: Int64)] {
        try connection.all(
            """
            SELECT settled.digest, offset, length FROM places JOIN settled ON settled.blob = places.blob
            WHERE chunk = ? ORDER BY settled.blob, offset
            """, .blob(chunk.bytes)
        ) { row throws(StoreError) in (try row.digest(0), row.integer(1), row.integer(2)) }
    }

    private func drop(_ digest: Digest) throws {
        try connection.run(
            "DELETE FROM places WHERE blob = (SELECT blob FROM settled WHERE digest = ?)", .digest(digest))
        try connection.run("DELETE FROM settled WHERE digest = ?", .digest(digest))
    }

    private func transaction(_ body: () throws -> Void) throws {
        try connection.run("BEGIN IMMEDIATE")
        do {
            try body()
            try connection.run("COMMIT")
        } catch {
            try? connection.run("ROLLBACK")
            throw error
        }
    }
}
