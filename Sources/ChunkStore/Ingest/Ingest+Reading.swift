import Content

extension Ingest {
    /// Waits until the first byte of `range` is there and gives the part of `range` that can be read from
    /// there on without a gap. Empty when the blob ends at or before the range's start.
    /// - Throws: the ingest's failure; `StoreError.noSpace` when the byte will not come because the disk is
    ///   full; `CancellationError`.
    public func available(_ range: Range<Int64>) async throws -> Range<Int64> {
        let key = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Range<Int64>, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    do {
                        if let now = try state.answer(range) { return .success(now) }
                    } catch { return .failure(error) }
                    state.waiters[key] = IngestState.Waiter(range: range, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: key) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// The bytes of `range`, which must be present, as a piece of the partial file. It stays readable after
    /// the ingest was published or discarded.
    public func slice(_ range: Range<Int64>) -> FileSlice {
        FileSlice(file: file, range: range)
    }

    /// The present bytes of `range`, read on the store's threads.
    /// - Throws: `StoreError.incomplete` when some of them are not there.
    public func read(_ range: Range<Int64>) async throws -> [UInt8] {
        let (held, present, size) = state.withLock { ($0.present.contains(range), $0.present.count, $0.size) }
        guard held else { throw StoreError.incomplete(present: present, size: size) }
        if isInMemory { return try files.read(range, of: file) }
        return try await parts.pool.run {
            try self.files.read(range, of: self.file)
        }
    }
}

extension FileSystem {
    /// The bytes of `range`; fewer when the file ends before.
    func read(_ range: Range<Int64>, of file: OpenFile) throws(StoreError) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(range.length)) { buffer, count in
            do throws(FileError) {
                count = try read(
                    from: file, into: UnsafeMutableRawBufferPointer(buffer), at: range.lowerBound)
            } catch { failure = error }
        }
        if let failure { throw StoreError(failure) }
        return bytes
    }
}
