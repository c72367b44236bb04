import ChunkStore
import Content
import Testing

@Suite struct SchemaTests {
    private func connection(_ directory: TestDirectory) throws -> Connection {
        try PosixFileSystem().makeDirectory(directory.path)
        return try Connection(
            path: directory.path + "/test.sqlite", writable: true, files: DatabaseFiles(PosixFileSystem()))
    }

    private func version(_ connection: Connection) throws -> Int64? {
        try connection.first("PRAGMA user_version") { $0.integer(0) }
    }

    private func setVersion(_ version: Int, of directory: TestDirectory) throws {
        let connection = try Connection(
            path: directory.path + "/index.sqlite", writable: true, files: DatabaseFiles(PosixFileSystem()))
        try connection.run("PRAGMA user_version = \(version)")
    }

    @Test func anOlderSchemaIsMigratedStepByStep() throws {
        let directory = TestDirectory()
        let connection = try connection(directory)
        let steps = ["CREATE TABLE a(x)", "CREATE TABLE b(x); INSERT INTO b SELECT x FROM a"]
        try Schema.migrate(connection, through: Array(steps.prefix(1)))
        try connection.run("INSERT INTO a VALUES (7)")
        #expect(try version(connection) == 1)
        try Schema.migrate(connection, through: steps)
        #expect(try version(connection) == 2)
        #expect(try connection.first("SELECT x FROM b") { $0.integer(0) } == 7)
        try Schema.migrate(connection, through: steps)
        #expect(try connection.all("SELECT x FROM b") { $0.integer(0) } == [7])
    }

    @Test func aMigrationThatFailsChangesNothing() throws {
        let directory = TestDirectory()
        let connection = try connection(directory)
        #expect(throws: StoreError.self) {
            try Schema.migrate(connection, through: ["CREATE TABLE a(x); CREATE TABLE a(x)"])
        }
        #expect(try version(connection) == 0)
        #expect(try connection.first("SELECT count(*) FROM sqlite_schema") { $0.integer(0) } == 0)
    }

    @Test func aStoreOfALaterProgramIsRefusedAndLeftAsItIs() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        try await store.put([1, 2, 3])
        await store.close()
        try setVersion(99, of: directory)
        await #expect(
            throws: StoreError.newerFormat(
                what: directory.path + "/index.sqlite", found: 99, supported: Schema.current)
        ) { try await directory.open() }
        try setVersion(Schema.current, of: directory)
        let again = try await directory.open()
        #expect(try await again.object(Digest(of: [1, 2, 3])) != nil)
        await again.close()
    }
}
