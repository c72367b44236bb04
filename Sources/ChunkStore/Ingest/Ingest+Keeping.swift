import Content

extension Ingest {
    /// Partials below this many bytes are not worth keeping over a restart.
    static let smallestKept: Int64 = 1 << 20

    /// Starts a save of the presence map when enough came in since the last one.
    func saveIfDue() {
        guard expected != nil, !isInMemory else { return }
        let due = state.withLock { state in
            let step = max(Self.smallestKept, min(state.present.count / 4, 32 << 20))
            guard state.phase == .open, !state.isSaving, state.unsaved >= step else { return false }
            state.isSaving = true
            return true
        }
        guard due else { return }
        keeping.submit {
            // What was present when the sync began is what the sync makes durable.
            let (present, size, isOpen) = self.state.withLock { state in
                state.unsaved = 0
                return (state.present, state.size, state.phase == .open)
            }
            if isOpen { self.write(present, size: size) }
            self.state.withLock { $0.isSaving = false }
        }
    }

    /// Waits for the saves that were due so far.
    package func saved() async { await keeping.drained() }

    /// Saves the presence map; false when that failed.
    func save(_ present: PresenceMap, size: Int64?) async -> Bool {
        await withCheckedContinuation { continuation in
            keeping.submit { continuation.resume(returning: self.write(present, size: size)) }
        }
    }

    /// On the keeping lane: syncs the bytes, then appends a snapshot to the map. A failure costs only what
    /// could have been resumed after a restart.
    @discardableResult
    private func write(_ present: PresenceMap, size: Int64?) -> Bool {
        guard let expected else { return false }
        let path = parts.layout.partialMap(id)
        do throws(FileError) {
            try parts.files.synchronize(file)
            let map = try parts.files.open(path, .create)
            let isNew = !state.withLock { $0.hasMap }
            state.withLock { $0.hasMap = true }
            var bytes = PartialMap.snapshot(size: size, present: present)
            if isNew { bytes = PartialMap.header(expected) + bytes }
            let end = isNew ? 0 : try parts.files.size(of: map)
            try parts.files.write(bytes, to: map, at: end)
            try parts.files.synchronize(map)
            if isNew { try parts.files.synchronizeDirectory(parts.layout.ingest) }
            return true
        } catch {
            parts.logger.warning("cannot keep a partial over a restart", metadata: ["reason": "\(error)"])
            return false
        }
    }
}

extension FileSystem {
    package func write(_ bytes: [UInt8], to file: OpenFile, at offset: Int64) throws(FileError) {
        var failure: FileError?
        bytes.withUnsafeBytes { raw in
            do throws(FileError) { try write(raw, to: file, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
