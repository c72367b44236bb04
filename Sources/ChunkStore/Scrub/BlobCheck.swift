import Content

/// What looking at every byte of a blob found.
enum BlobFinding: Sendable, Equatable {
    case sound
    case damaged(String)
    /// It was removed, folded or moved while it was looked at.
    case changed
    case stopped
}

extension StoreParts {
    /// Reads a blob from disk, wherever it stands, and compares it with its digest. Blocks.
    ///
    /// - Parameter pace: is told the bytes read; false stops.
    func check(_ row: BlobRow, pace: (Int) -> Bool) throws -> BlobFinding {
        try readers.readHere { connection in
            let finding =
                switch row.place {
                case .file: try checkFile(row, pace)
                case .record: try checkRecord(row, with: connection, pace)
                case .recipe: try checkRecipe(row, with: connection, pace)
                }
            if case .damaged = finding, try connection.blob(row.digest) != row { return .changed }
            return finding
        }
    }

    private func checkFile(_ row: BlobRow, _ pace: (Int) -> Bool) throws -> BlobFinding {
        guard let source = try source(of: row) else { return .damaged("its file is missing") }
        let size = try storing { () throws(FileError) in try files.size(of: source.file) }
        guard size == row.size else { return .damaged("its file has \(size) bytes instead of \(row.size)") }
        guard let digest = try source.actualDigest(pace: pace) else { return .stopped }
        return digest == row.digest ? .sound : .damaged("its file's bytes are \(digest)")
    }

    private func checkRecord(
        _ row: BlobRow, with connection: Connection, _ pace: (Int) -> Bool
    ) throws -> BlobFinding {
        guard let id = row.record, let place = try connection.record(id) else {
            return .damaged("it has no record")
        }
        let record = try packFiles.bytesIfThere(place)
        if let record {
            if !pace(record.count) { return .stopped }
            if let (digest, _) = PackRecord.decode(record), digest == row.digest { return .sound }
        }
        // Its pack may have been rewritten meanwhile.
        guard try connection.record(id) == place else { return .changed }
        return .damaged(record == nil ? "pack \(place.pack) is missing" : "its record does not verify")
    }

    private func checkRecipe(
        _ row: BlobRow, with connection: Connection, _ pace: (Int) -> Bool
    ) throws -> BlobFinding {
        do {
            guard let reader = try recipeReader(for: row, with: connection) else {
                return .damaged("it has no recipe")
            }
            guard let digest = try reader.digest(pace: pace) else { return .stopped }
            return digest == row.digest ? .sound : .damaged("its recipe rebuilds \(digest)")
        } catch StoreError.damaged(_, let what) {
            return .damaged(what)
        }
    }
}
