import Content

extension StoreParts {
    /// Drops the references that nobody used for as long as a limit of the configuration allows, and the
    /// blobs that lose their last name by it. Pinned names stay.
    ///
    /// - Returns: how many references went.
    @discardableResult
    func dropUnused() async throws -> Int {
        let limits = configuration.maxUnused.map { limit in
            (pattern: NamePattern(limit.pattern), age: Int64(clamping: limit.age.nanoseconds / 1_000_000))
        }
        guard let youngest = limits.map(\.age).min() else { return 0 }
        _ = await flushTouches()
        let now = clock.milliseconds()
        let pins = try await pinnedContent()
        let names = try await readers.read { connection -> [String] in
            try connection.unusedNames(before: now - youngest).filter { name, digest, used in
                limits.contains { $0.pattern.matches(name) && used < now - $0.age }
                    && !pins.patterns.contains { $0.matches(name) } && !pins.reached.contains(digest)
            }.map(\.name)
        }
        var start = 0
        while start < names.count {
            let batch = Array(names[start..<min(start + 500, names.count)])
            start += batch.count
            try await drop(batch)
        }
        return names.count
    }

    private func drop(_ names: [String]) async throws {
        _ = try await writer.transaction { stage -> [(row: BlobRow?, name: ReferenceName)] in
            var dropped: [(row: BlobRow?, name: ReferenceName)] = []
            for text in names {
                guard let name = try? ReferenceName(text),
                    let reference = try stage.connection.reference(name),
                    try stage.connection.removeReference(name)
                else { continue }
                guard let row = try stage.connection.blob(reference.digest),
                    try stage.connection.references(ofBlob: row.id).isEmpty
                else {
                    dropped.append((nil, name))
                    continue
                }
                try stage.connection.deleteBlob(id: row.id)
                if row.place == .file { stage.dropFile(of: row.digest, size: row.size) }
                dropped.append((row, name))
            }
            return dropped
        } visible: { dropped in
            for (row, name) in dropped {
                self.cache.removed(row?.digest, [name])
                self.events.unnamed([name])
                if let row { self.events.send(.evicted(row.digest, size: row.size)) }
            }
        }
    }
}

extension Connection {
    /// The names that were last used before a time, in milliseconds since 1970, with that use and what they
    /// point at.
    fileprivate func unusedNames(
        before time: Int64
    ) throws(StoreError) -> [(name: String, digest: Digest, used: Int64)] {
        try all(
            """
            SELECT refs.name, blobs.digest, refs.used FROM refs JOIN blobs ON blobs.id = refs.blob
            WHERE refs.used < ? ORDER BY refs.name
            """, .integer(time)
        ) { row throws(StoreError) in
            (row.text(0) ?? "", try row.digest(1), row.integer(2))
        }
    }
}
