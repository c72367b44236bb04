/// Where a record stands.
package struct RecordPlace: Sendable, Hashable {
    package let pack: Int64
    package let offset: Int64
    /// Bytes of the whole record, its header included.
    package let length: Int64

    package init(pack: Int64, offset: Int64, length: Int64) {
        self.pack = pack
        self.offset = offset
        self.length = length
    }
}

/// A row of the index's table of packs.
package struct PackRow: Sendable, Equatable {
    package let id: Int64
    /// Committed bytes: what follows in the file is not part of the pack.
    package let length: Int64
    /// Bytes of records that somebody still needs.
    package let live: Int64
    package let sealed: Bool
}

extension Connection {
    package func record(_ id: Int64) throws(StoreError) -> RecordPlace? {
        try first("SELECT pack, offset, length FROM records WHERE id = ?", .integer(id)) {
            RecordPlace(pack: $0.integer(0), offset: $0.integer(1), length: $0.integer(2))
        }
    }

    package func records(ofPack pack: Int64) throws(StoreError) -> [(id: Int64, place: RecordPlace)] {
        try all("SELECT id, offset, length FROM records WHERE pack = ? ORDER BY offset", .integer(pack)) {
            ($0.integer(0), RecordPlace(pack: pack, offset: $0.integer(1), length: $0.integer(2)))
        }
    }

    /// Adds a record and gives its row id, by which its owner knows it wherever it moves.
    package func insertRecord(_ place: RecordPlace) throws(StoreError) -> Int64 {
        try run(
            "INSERT INTO records(pack, offset, length) VALUES (?, ?, ?)", .integer(place.pack),
            .integer(place.offset), .integer(place.length))
        return lastInsertedRow
    }

    package func moveRecord(_ id: Int64, to place: RecordPlace) throws(StoreError) {
        try run(
            "UPDATE records SET pack = ?, offset = ?, length = ? WHERE id = ?", .integer(place.pack),
            .integer(place.offset), .integer(place.length), .integer(id))
    }

    package func deleteRecord(_ id: Int64) throws(StoreError) {
        try run("DELETE FROM records WHERE id = ?", .integer(id))
    }

    package func packs() throws(StoreError) -> [PackRow] {
        try all("SELECT id, length, live, sealed FROM packs ORDER BY id") {
            PackRow(
                id: $0.integer(0), length: $0.integer(1), live: $0.integer(2), sealed: $0.integer(3) != 0)
        }
    }

    package func setPack(_ id: Int64, length: Int64, sealed: Bool) throws(StoreError) {
        try run(
            """
            INSERT INTO packs(id, length, sealed) VALUES (?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET length = excluded.length, sealed = excluded.sealed
            """, .integer(id), .integer(length), .integer(sealed ? 1 : 0))
    }

    package func deletePack(_ id: Int64) throws(StoreError) {
        try run("DELETE FROM packs WHERE id = ?", .integer(id))
    }
}
