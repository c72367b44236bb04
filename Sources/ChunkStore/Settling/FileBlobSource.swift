import Content

/// A blob's file as a chunker reads it. Blocks.
struct FileBlobSource: BlobSource {
    let digest: Digest
    let size: Int64
    let file: OpenFile
    let files: any FileSystem

    func read(_ range: Range<Int64>) throws -> [UInt8] {
        let bytes = try files.read(range, of: file)
        guard bytes.count == range.count else {
            throw StoreError.damaged(digest, what: "its file ends early")
        }
        return bytes
    }

    /// The digest of the file's bytes; `pace`, which is told the bytes read, stops it with nil.
    func actualDigest(pace: (Int) -> Bool) throws -> Digest? {
        var hasher = DigestHasher(digest.algorithm)
        var offset: Int64 = 0
        while offset < size {
            let bytes = try read(offset..<min(offset + (1 << 20), size))
            hasher.update(bytes)
            offset += Int64(bytes.count)
            guard pace(bytes.count) else { return nil }
        }
        return hasher.finalize()
    }
}

extension StoreParts {
    /// The file of a blob that stands in one; nil when it is not there. Blocks.
    func source(of row: BlobRow) throws -> FileBlobSource? {
        do throws(FileError) {
            let file = try files.open(layout.blob(row.digest), .read)
            return FileBlobSource(digest: row.digest, size: row.size, file: file, files: files)
        } catch {
            if error.isNotFound { return nil }
            throw StoreError(error)
        }
    }
}
