import Content
import Logging
import Synchronization

/// Writes down which chunks the published blobs hold, behind everybody's back: on a thread that yields to all
/// others, at a limited rate, never in the way of publication.
final class Settler: Sendable {
    private let parts: StoreParts
    private let thread: BlockingPool
    // Opened at first use and only touched on `thread`.
    private let database = Mutex<DatabaseBox?>(nil)

    // Unchecked: the connection inside is used under the mutex above, by one thread.
    private final class DatabaseBox: @unchecked Sendable {
        let derived: DerivedDatabase
        init(_ derived: DerivedDatabase) { self.derived = derived }
    }

    init(_ parts: StoreParts, thread: BlockingPool) {
        self.parts = parts
        self.thread = thread
    }

    /// Settles one blob unless it is settled.
    ///
    /// - Parameter pace: is told the bytes read; false stops.
    /// - Returns: nil when the blob is not a whole file, or the work was stopped.
    func settle(
        _ digest: Digest, pace: @escaping @Sendable (Int) -> Bool
    ) async throws -> Settlement? {
        try await thread.run { try self.settleHere(digest, pace: pace) }
    }

    /// Bytes of a settled blob that other settled blobs share; nil when it is not settled as cut.
    func shared(of digest: Digest) async throws -> Int64? {
        try await thread.run {
            try self.withDatabase { derived in
                try derived.settlement(of: digest) == .cut ? try derived.shared(of: digest) : nil
            }
        }
    }

    func settlement(of digest: Digest) async throws -> Settlement? {
        try await thread.run { try self.withDatabase { try $0.settlement(of: digest) } }
    }

    func places(of chunk: ChunkID) async throws -> [(digest: Digest, offset: Int64, length: Int64)] {
        try await thread.run { try self.withDatabase { try $0.places(of: chunk) } }
    }

    func forget(_ digest: Digest) async throws {
        try await thread.run { try self.withDatabase { try $0.forget(digest) } }
    }

    /// Forgets what is no longer held as a file: left over by a crash or by missed events.
    func reconcile(shouldStop: @escaping @Sendable () -> Bool) async throws {
        let parts = parts
        try await thread.run {
            var after: Int64 = 0
            while !shouldStop() {
                let rows = try self.withDatabase { try $0.settled(after: after, limit: 500) }
                guard let last = rows.last else { return }
                after = last.row
                let gone = try parts.readers.readHere { connection in
                    try rows.filter { try connection.blob($0.digest)?.place != .file }
                }
                for row in gone { try self.withDatabase { try $0.forget(row.digest) } }
            }
        }
    }

    /// Closes the database; it opens again when needed.
    func close() async {
        await withCheckedContinuation { continuation in
            thread.submit {
                self.database.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    private func settleHere(_ digest: Digest, pace: (Int) -> Bool) throws -> Settlement? {
        if let known = try withDatabase({ try $0.settlement(of: digest) }) { return known }
        guard let row = try parts.readers.readHere({ try $0.blob(digest) }), row.place == .file,
            let source = try parts.source(of: row)
        else { return nil }
        let settlement: Settlement
        var chunks: [(id: ChunkID, range: Range<Int64>)] = []
        do {
            if row.staysWhole { throw ChunkingRefusal.told }
            let plan = try Chunkers.plan(source, shouldStop: { !pace(0) })
            for cut in plan.cuts {
                chunks.append((ChunkID(of: try source.read(cut)), cut))
                guard pace(cut.count) else { return nil }
            }
            settlement = .cut
        } catch let refusal as ChunkingRefusal {
            switch refusal {
            case .stopped: return nil
            case .notWorthwhile: settlement = .notWorthwhile
            case .odd(let what):
                settlement = .odd
                parts.logger.info("a blob stays whole", metadata: ["blob": "\(digest)", "reason": "\(what)"])
            }
        }
        try withDatabase { try $0.record(settlement, of: digest, chunks: chunks) }
        return settlement
    }

    /// Runs `body` with the database. One that turns out damaged is thrown away: its content is only hints, and
    /// comes back as blobs are settled again.
    private func withDatabase<Result>(_ body: (DerivedDatabase) throws -> Result) throws -> Result {
        try database.withLock { box in
            let open = try box ?? DatabaseBox(DerivedDatabase(parts))
            box = open
            do { return try body(open.derived) } catch let error as StoreError where error.isDamagedDatabase {
                parts.logger.warning("derived data are damaged: made anew", metadata: ["reason": "\(error)"])
            }
            box = nil
            let fresh = DatabaseBox(try DerivedDatabase(anew: parts))
            box = fresh
            return try body(fresh.derived)
        }
    }
}

extension StoreError {
    /// SQLITE_CORRUPT or SQLITE_NOTADB.
    fileprivate var isDamagedDatabase: Bool {
        if case .database(let code, _, _) = self { code & 0xff == 11 || code & 0xff == 26 } else { false }
    }
}
