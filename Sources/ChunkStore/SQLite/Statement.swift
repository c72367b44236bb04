import CSQLite
import Content

/// What can be bound to a statement's parameter.
package enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    /// Text that need not be valid UTF-8: the open end of a prefix.
    case rawText([UInt8])
    case blob([UInt8])

    package static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
    package static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    package static func digest(_ digest: Digest) -> SQLValue { .blob(digest.key) }
}

/// A prepared statement of one connection.
package final class Statement {
    private unowned let connection: Connection
    private let handle: OpaquePointer
    private let sql: String

    init(_ sql: String, on connection: Connection, handle database: OpaquePointer) throws(StoreError) {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw connection.error(code, doing: sql) }
        self.connection = connection
        self.handle = statement
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    package func bind(_ values: [SQLValue]) throws(StoreError) {
        // SQLite copies the bytes (SQLITE_TRANSIENT), so that they may go away before the step.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        for (offset, value) in values.enumerated() {
            let index = Int32(offset + 1)
            let code =
                switch value {
                case .null: sqlite3_bind_null(handle, index)
                case .integer(let value): sqlite3_bind_int64(handle, index, value)
                case .text(let text): sqlite3_bind_text(handle, index, text, -1, transient)
                case .rawText(let bytes):
                    bytes.withUnsafeBytes { raw in
                        raw.withMemoryRebound(to: CChar.self) {
                            sqlite3_bind_text(handle, index, $0.baseAddress, Int32($0.count), transient)
                        }
                    }
                case .blob(let bytes):
                    bytes.withUnsafeBytes {
                        $0.isEmpty
                            ? sqlite3_bind_zeroblob(handle, index, 0)
                            : sqlite3_bind_blob(handle, index, $0.baseAddress, Int32($0.count), transient)
                    }
                }
            guard code == SQLITE_OK else { throw connection.error(code, doing: sql) }
        }
    }

    /// True when there is a row to read.
    package func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: true
        case SQLITE_DONE: false
        case let code: throw connection.error(code, doing: sql)
        }
    }

    package func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    package func text(_ column: Int32) -> String? {
        guard let bytes = sqlite3_column_text(handle, column) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    package func blob(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// - Throws: `StoreError.database` when the column does not hold a digest's key.
    package func digest(_ column: Int32) throws(StoreError) -> Digest {
        guard let digest = Digest(key: blob(column)) else {
            throw .database(code: SQLITE_CORRUPT, message: "a digest column holds no digest", doing: sql)
        }
        return digest
    }
}

extension Digest {
    /// The digest as the index and the packs store it: a byte for the algorithm (1 sha256, 2 sha512), then
    /// the hash.
    package var key: [UInt8] { [algorithm.code] + bytes }

    package init?(key: [UInt8]) {
        guard let first = key.first, let algorithm = DigestAlgorithm(code: first) else { return nil }
        try? self.init(algorithm, bytes: Array(key.dropFirst()))
    }
}

extension DigestAlgorithm {
    /// The algorithm's number in the store's formats.
    package var code: UInt8 {
        switch self {
        case .sha256: 1
        case .sha512: 2
        }
    }

    package init?(code: UInt8) {
        switch code {
        case 1: self = .sha256
        case 2: self = .sha512
        default: return nil
        }
    }
}
