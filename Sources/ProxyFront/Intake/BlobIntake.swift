import ChunkStore
import Content

/// Copies a piece of a file into the store, checked against its digest where one is given.
package struct BlobIntake: Sendable {
    private static let block: Int64 = 1 << 20

    let store: ChunkStore

    package init(_ store: ChunkStore) { self.store = store }

    /// The bytes of `slice` as a sealed ingest: whole, hashed, and not visible yet.
    ///
    /// A copy that is interrupted is parked if its digest is known, so that the next one goes on with it.
    /// - Parameter progress: is told how many bytes came in, again and again.
    /// - Throws: `StoreError.digestMismatch` when the bytes are others; `.noSpace`; `FileBytes.Failure` when the file
    ///   cannot be read or ends early; `CancellationError`.
    package func copy(
        _ slice: FileSlice, expecting expected: Digest?, observer: (any FrontObserver)? = nil,
        progress: @Sendable (Int64) -> Void
    ) async throws -> Ingest {
        var parked: Ingest?
        if let expected { parked = try await store.parkedIngest(expected: expected, observer: observer) }
        let ingest: Ingest
        if let parked {
            ingest = parked
        } else {
            ingest = try await store.beginIngest(expected: expected, size: slice.count, observer: observer)
        }
        do {
            if parked != nil { try ingest.setSize(slice.count) }
            var offset: Int64 = 0
            while offset < slice.count {
                try Task.checkCancellation()
                let end = min(slice.count, offset + Self.block)
                let start = slice.range.lowerBound
                let bytes = try await FileBytes.read(
                    FileSlice(file: slice.file, range: start + offset..<start + end))
                try await ingest.write(bytes, at: offset)
                progress(end - offset)
                offset = end
            }
            _ = try await ingest.seal()
            return ingest
        } catch {
            await ingest.park()
            throw error
        }
    }
}

extension StoredObject {
    /// The bytes of `range`, which must lie within the object.
    package func bytes(_ range: Range<Int64>) async throws -> [UInt8] {
        switch body {
        case .bytes(let bytes): Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        case .file(let file): try await FileBytes.read(FileSlice(file: file, range: range))
        case .recipe(let reader): try await reader.read(range)
        }
    }

    /// All of a small object's bytes.
    /// - Throws: `StoreError.lengthMismatch` when there are more than `limit`.
    package func wholeBytes(atMost limit: Int64) async throws -> [UInt8] {
        guard size <= limit else { throw StoreError.lengthMismatch(expected: limit, found: size) }
        return try await bytes(0..<size)
    }
}
