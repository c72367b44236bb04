import Content

extension ChunkStore {
    /// Visits every name that starts with `prefix`, in order, with the size of what it points at and a number that
    /// is the same for names of one blob. For those who count: nothing is taken for a use.
    public func visitNames(
        prefix: String, _ visit: @escaping @Sendable (_ name: String, _ blob: Int64, _ size: Int64) -> Void
    ) async throws {
        var last = prefix
        while true {
            let after = last
            let page = try await parts.readers.read { connection in
                try connection.names(after: after, prefix: prefix, limit: 1000)
            }
            for row in page { visit(row.name, row.blob, row.size) }
            guard let end = page.last else { return }
            last = end.name
        }
    }
}

extension Connection {
    /// At most `limit` names that start with `prefix` and come after `after`. `prefix` itself is none of them.
    fileprivate func names(
        after: String, prefix: String, limit: Int
    ) throws(StoreError) -> [(name: String, blob: Int64, size: Int64)] {
        // UTF-8 never holds 0xff: whatever starts with the prefix comes before the prefix with that behind it.
        try all(
            """
            SELECT refs.name, blobs.id, blobs.size FROM refs JOIN blobs ON blobs.id = refs.blob
            WHERE refs.name > ? AND refs.name < ? ORDER BY refs.name LIMIT ?
            """, .text(after), .rawText(Array(prefix.utf8) + [0xff]), .integer(limit)
        ) { row throws(StoreError) in
            (row.text(0) ?? "", row.integer(1), row.integer(2))
        }
    }
}
