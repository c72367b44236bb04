import Synchronization

/// Read connections to a database, made as needed and used by one thread at a time.
package final class ReaderPool: Sendable {
    /// Connections that nobody uses; nil once closed.
    private let idle = Mutex<[Connection]?>([])
    private let pool: BlockingPool
    private let make: @Sendable () throws(StoreError) -> Connection

    package init(on pool: BlockingPool, make: @escaping @Sendable () throws(StoreError) -> Connection) {
        self.pool = pool
        self.make = make
    }

    /// Runs `body` with a connection, on a thread of the pool.
    package func read<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws -> Result {
        try await pool.run { try self.readHere(body) }
    }

    /// As `read`, on the calling thread, which must be one that may block.
    package func readHere<Result>(_ body: (Connection) throws -> Result) throws -> Result {
        let reused = try idle.withLock { idle throws(StoreError) in
            if idle == nil { throw .closed }
            return idle?.popLast()
        }
        let connection = try reused ?? make()
        defer { idle.withLock { $0?.append(connection) } }
        return try body(connection)
    }

    /// Lets go of all connections; later reads throw `StoreError.closed`.
    package func close() { idle.withLock { $0 = nil } }
}
