import Content

import struct FoundationEssentials.Date

extension Connection {
    private static let referenceColumns = """
        refs.name, blobs.digest, blobs.size, refs.learned, refs.checked, refs.origin, refs.validator,
        refs.type, refs.verified, refs.access, refs.h1
        """

    private func readReference(_ row: Statement) throws(StoreError) -> Reference {
        let name: ReferenceName
        do { name = try ReferenceName(row.text(0) ?? "") } catch {
            throw .database(
                code: 11, message: "a bad name in the index: \(error)", doing: "reading references")
        }
        return Reference(
            name: name, digest: try row.digest(1), size: row.integer(2),
            learned: Date(milliseconds: row.integer(3)), checked: Date(milliseconds: row.integer(4)),
            origin: row.text(5) ?? "", validator: row.text(6), contentType: row.text(7),
            verified: Verification(rawValue: Int(row.integer(8))) ?? .unverified,
            access: AccessClass(rawValue: Int(row.integer(9))) ?? .private, h1: row.text(10))
    }

    package func reference(_ name: ReferenceName) throws(StoreError) -> Reference? {
        try first(
            """
            SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob WHERE refs.name = ?
            """, .text(name.text), read: readReference)
    }

    /// The references whose name starts with `prefix`, in the order of their names' bytes.
    package func references(prefix: String) throws(StoreError) -> [Reference] {
        let lower = Array(prefix.utf8)
        guard let last = lower.last else {
            return try all(
                "SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob ORDER BY refs.name",
                read: readReference)
        }
        // UTF-8 never holds 0xff, so that the last byte can always be raised by one: the first name after all
        // those with the prefix.
        return try all(
            """
            SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob
            WHERE refs.name >= ? AND refs.name < ? ORDER BY refs.name
            """, .rawText(lower), .rawText(lower.dropLast() + [last + 1]), read: readReference)
    }

    /// The first reference whose name is `start` or comes after it in the order of the names' bytes.
    package func firstReference(from start: String) throws(StoreError) -> Reference? {
        try first(
            """
            SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob WHERE refs.name >= ?
            ORDER BY refs.name LIMIT 1
            """, .text(start), read: readReference)
    }

    /// At most `limit` references whose name starts with `prefix` and comes after `name`.
    func references(prefix: String, after name: String, limit: Int) throws(StoreError) -> [Reference] {
        // UTF-8 never holds 0xff: whatever starts with the prefix comes before the prefix with that behind it.
        try all(
            """
            SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob
            WHERE refs.name > ? AND refs.name < ? ORDER BY refs.name LIMIT ?
            """, .text(max(name, prefix)), .rawText(Array(prefix.utf8) + [0xff]), .integer(limit),
            read: readReference)
    }

    package func references(ofBlob id: Int64) throws(StoreError) -> [Reference] {
        try all(
            """
            SELECT \(Self.referenceColumns) FROM refs JOIN blobs ON blobs.id = refs.blob WHERE refs.blob = ?
            ORDER BY refs.name
            """, .integer(id), read: readReference)
    }

    /// Sets a reference to a blob's row, replacing what the name pointed at.
    package func setReference(_ reference: Reference, blob: Int64, now: Int64) throws(StoreError) {
        try run(
            """
            INSERT INTO refs(name, blob, learned, checked, origin, validator, type, verified, access, h1, used)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(name) DO UPDATE SET blob = excluded.blob, learned = excluded.learned,
                checked = excluded.checked, origin = excluded.origin, validator = excluded.validator,
                type = excluded.type, verified = excluded.verified, access = excluded.access,
                h1 = excluded.h1, used = excluded.used
            """,
            .text(reference.name.text), .integer(blob), .integer(reference.learned.milliseconds),
            .integer(reference.checked.milliseconds), .text(reference.origin), .text(reference.validator),
            .text(reference.contentType), .integer(reference.verified.rawValue),
            .integer(reference.access.rawValue), .text(reference.h1), .integer(now))
        try run(
            "UPDATE blobs SET access = ? WHERE id = ? AND access < ?",
            .integer(reference.access.rawValue), .integer(blob), .integer(reference.access.rawValue))
    }

    /// True when there was such a reference.
    package func removeReference(_ name: ReferenceName) throws(StoreError) -> Bool {
        try run("DELETE FROM refs WHERE name = ?", .text(name.text))
        return changedRows > 0
    }
}
