import ChunkStore
import Content
import Testing

@Suite struct DatabaseFilesTests {
    @Test func readersSeeWholeTransactionsWhileTheWriterWorks() async throws {
        let directory = TestDirectory()
        try PosixFileSystem().makeDirectory(directory.path)
        let path = directory.path + "/test.sqlite"
        let files = try DatabaseFiles(HastyFileSystem())
        let writer = try Connection(path: path, writable: true, files: files)
        try writer.run("PRAGMA journal_mode = WAL")
        try writer.run("PRAGMA wal_autocheckpoint = 20")
        try writer.run("CREATE TABLE pairs(a INTEGER, b INTEGER)")
        try writer.run("INSERT INTO pairs VALUES (0, 0)")
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let reader = try Connection(path: path, writable: false, files: files)
                    var last: Int64 = 0
                    while last < 1000 {
                        let (a, b) = try #require(
                            try reader.first("SELECT a, b FROM pairs") { ($0.integer(0), $0.integer(1)) })
                        #expect(a == b && a >= last)
                        last = a
                        await Task.yield()
                    }
                    return last
                }
            }
            group.addTask {
                for value in 1...1000 {
                    try writer.run("BEGIN IMMEDIATE")
                    try writer.run("UPDATE pairs SET a = ?", .integer(value))
                    try writer.run("UPDATE pairs SET b = ?", .integer(value))
                    try writer.run("COMMIT")
                    await Task.yield()
                }
                return 1000
            }
            for try await last in group { #expect(last == 1000) }
        }
        #expect(try writer.first("PRAGMA integrity_check") { $0.text(0) ?? "" } == "ok")
    }

    @Test func aSecondWriterIsTurnedAwayNotMixedIn() throws {
        let directory = TestDirectory()
        try PosixFileSystem().makeDirectory(directory.path)
        let path = directory.path + "/test.sqlite"
        let files = try DatabaseFiles(HastyFileSystem())
        for mode in ["WAL", "DELETE"] {
            let first = try Connection(path: path, writable: true, files: files)
            try first.run("PRAGMA journal_mode = \(mode)")
            try first.run("CREATE TABLE IF NOT EXISTS t(x)")
            let second = try Connection(path: path, writable: true, files: files)
            try second.run("PRAGMA busy_timeout = 0")
            try first.run("BEGIN IMMEDIATE")
            try first.run("INSERT INTO t VALUES (1)")
            #expect(throws: StoreError.self) { try second.run("BEGIN IMMEDIATE") }
            try first.run("COMMIT")
            try second.run("BEGIN IMMEDIATE")
            try second.run("INSERT INTO t VALUES (2)")
            try second.run("COMMIT")
        }
        let check = try Connection(path: path, writable: false, files: files)
        #expect(try check.first("SELECT count(*) FROM t") { $0.integer(0) } == 4)
        #expect(throws: StoreError.self) { try check.run("DELETE FROM t") }
    }
}
