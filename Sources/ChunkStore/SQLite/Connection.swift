import CSQLite

/// One connection to a SQLite database, used by one thread at a time.
// Unchecked: connections are handed from thread to thread under a lock, never shared; SQLite itself is
// opened without its own mutexes for that reason.
package final class Connection: @unchecked Sendable {
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]
    package let path: String
    /// Kept as long as SQLite may call it.
    private let files: DatabaseFiles

    /// Opens the database at `path`, making it when it is to be `writable`.
    package init(path: String, writable: Bool, files: DatabaseFiles) throws(StoreError) {
        var handle: OpaquePointer?
        let access = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE
        let code = sqlite3_open_v2(path, &handle, access | SQLITE_OPEN_NOMUTEX, files.name)
        guard let handle, code == SQLITE_OK else {
            let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(handle)
            throw .database(code: code, message: message, doing: "opening \(path)")
        }
        self.handle = handle
        self.path = path
        self.files = files
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 10_000)
        // Sorting must not make files behind the store's back.
        try run("PRAGMA temp_store = MEMORY")
        if !writable { try run("PRAGMA query_only = 1") }
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// A prepared statement, made once per connection and text, reset and ready to be bound.
    package func prepared(_ sql: String) throws(StoreError) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try Statement(sql, on: self, handle: handle)
        statements[sql] = statement
        return statement
    }

    /// Runs statements that take no values and give no rows.
    package func run(_ sql: String) throws(StoreError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, doing: sql) }
    }

    /// Runs one statement with values bound to its parameters in order.
    package func run(_ sql: String, _ values: SQLValue...) throws(StoreError) {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        while try statement.step() {}
    }

    /// The first row that the statement gives, as `read` sees it; nil without a row.
    package func first<Row>(
        _ sql: String, _ values: SQLValue..., read: (Statement) throws(StoreError) -> Row
    ) throws(StoreError) -> Row? {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        return try statement.step() ? try read(statement) : nil
    }

    /// All rows that the statement gives.
    package func all<Row>(
        _ sql: String, _ values: SQLValue..., read: (Statement) throws(StoreError) -> Row
    ) throws(StoreError) -> [Row] {
        let statement = try prepared(sql)
        defer { statement.reset() }
        try statement.bind(values)
        var rows: [Row] = []
        while try statement.step() { rows.append(try read(statement)) }
        return rows
    }

    /// The row id that the last insertion on this connection made.
    package var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    /// False after an error that made SQLite roll the whole transaction back.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
    /// Rows that the last statement changed.
    package var changedRows: Int { Int(sqlite3_changes(handle)) }

    func error(_ code: Int32, doing: String) -> StoreError {
        if code & 0xff == SQLITE_FULL { return .noSpace }
        return .database(code: code, message: String(cString: sqlite3_errmsg(handle)), doing: doing)
    }
}
