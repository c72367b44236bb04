import ChunkStore
import Content
import Foundation
import Testing

@Suite struct OpeningTests {
    @Test func oneStoreAtATime() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        await #expect(throws: StoreError.inUse(directory: directory.path)) { try await directory.open() }
        await store.close()
        try await directory.open().close()
    }

    @Test func theDirectoryIsPrivate() async throws {
        let directory = TestDirectory()
        try await directory.open().close()
        let attributes = try FileManager.default.attributesOfItem(atPath: directory.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o700)
    }

    @Test func theDirectoriesAboveAreMade() async throws {
        let directory = TestDirectory()
        let store = try await ChunkStore.open(
            ChunkStore.Configuration(directory: directory.path + "/a/b/store/", reservedFree: 0),
            logger: .quiet)
        let digest = try await store.put([1])
        #expect(try await store.object(digest) != nil)
        await store.close()
        #expect(directory.files(below: "a/b/store").contains("version"))
    }

    @Test func aDirectoryOfSomethingElseIsLeftAlone() async throws {
        let directory = TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: directory.path + "/thesis.tex", contents: Data([1]))
        await #expect(throws: StoreError.notAStore(directory: directory.path, found: "it holds thesis.tex")) {
            try await directory.open()
        }
        #expect(directory.files() == ["thesis.tex"])
    }

    @Test(arguments: [("edgenode store 7\n", true), ("rubbish", false), ("", false)])
    func anotherVersionIsRefused(text: String, isNewer: Bool) async throws {
        let directory = TestDirectory()
        try await directory.open().close()
        try text.write(toFile: directory.path + "/version", atomically: true, encoding: .utf8)
        let expected: StoreError =
            isNewer
            ? .newerFormat(what: directory.path, found: 7, supported: 1)
            : .notAStore(directory: directory.path, found: "its version file is not one of ours")
        await #expect(throws: expected) { try await directory.open() }
    }

    @Test(arguments: [
        ChunkStore.Configuration(directory: ""),
        ChunkStore.Configuration(directory: "x", capacity: -1),
        ChunkStore.Configuration(directory: "x", highWater: 0.5, lowWater: 0.6),
        ChunkStore.Configuration(directory: "x", reservedFree: -1),
        ChunkStore.Configuration(directory: "x", smallObjectLimit: 1 << 30),
        ChunkStore.Configuration(directory: "x", threads: 0),
    ])
    func aBadConfigurationIsRefused(configuration: ChunkStore.Configuration) async throws {
        let error = await #expect(throws: StoreError.self) {
            try await ChunkStore.open(configuration, logger: .quiet)
        }
        guard case .badConfiguration = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aClosedStoreSaysSo() async throws {
        let directory = TestDirectory()
        let store = try await directory.open()
        await store.close()
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.put([1]) }
        await #expect(throws: StoreError.closed) { try await store.object(Digest(of: [1])) }
        await #expect(throws: StoreError.closed) { try await store.beginIngest() }
    }

    @Test func whatACrashLeftIsSweptAway() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        try await store.put(randomBytes(100, seed: 1))
        let crashed = TestDirectory()
        // A copy of a running store is what a crash leaves.
        try FileManager.default.copyItem(atPath: directory.path, toPath: crashed.path)
        await store.close()
        let hex = Digest(of: [5]).hex
        for (path, count) in [
            ("blobs/sha256/\(hex.prefix(2))/\(hex)", 500), ("packs/00000000000000ff.pack", 100),
            ("ingest/0000000000000007.part", 100), ("ingest/0000000000000009.map", 100),
        ] {
            let full = crashed.path + "/" + path
            try FileManager.default.createDirectory(
                atPath: String(full[..<(full.lastIndex(of: "/") ?? full.endIndex)]),
                withIntermediateDirectories: true)
            _ = FileManager.default.createFile(atPath: full, contents: Data(count: count))
        }
        let reopened = try await crashed.open(files: HastyFileSystem())
        #expect(try await StoreAudit(store: reopened, directory: crashed.path).findings() == [])
        #expect(crashed.files(below: "blobs") == [] && crashed.files(below: "ingest") == [])
        await reopened.close()
    }

    /// 10^6 chunks and 10^5 references, opened after a crash as well as after a clean close. Being ready at
    /// once means not to look at what is held: what is read is counted, because time depends on the machine.
    @Test(.timeLimit(.minutes(2))) func aLargeIndexIsReadyAtOnce() async throws {
        let directory = TestDirectory()
        let store = try await directory.open(files: HastyFileSystem())
        try await store.put([1])
        try await fill(store)
        let crashed = TestDirectory()
        try FileManager.default.copyItem(atPath: directory.path, toPath: crashed.path)
        await store.close()
        let clock = ContinuousClock()
        for copy in [directory, crashed] {
            let files = CountingFileSystem()
            // What a crash leaves in the log is read once, however much is held.
            let log = try bytes(of: "index.sqlite-wal", in: copy)
            let start = clock.now
            let reopened = try await copy.open(files: files)
            let reference = try await reopened.reference(ReferenceName("go/example.com/m77777@v1.0.0.mod"))
            let took = clock.now - start
            let (read, size) = (files.bytesRead, try bytes(of: "index.sqlite", in: copy))
            print("an index of \(size) bytes is ready after \(took), \(read) bytes read")
            #expect(reference != nil)
            #expect(size > 32 << 20 && read < log + (4 << 20), "\(read) of \(size) bytes were read")
            await reopened.close()
        }
    }

    private func bytes(of file: String, in directory: TestDirectory) throws -> Int64 {
        try PosixFileSystem().size(at: directory.path + "/" + file) ?? 0
    }

    private func fill(_ store: ChunkStore) async throws {
        try await store.parts.writer.transaction { stage in
            // One statement each: what takes time here is SQLite alone.
            try stage.connection.run(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
                INSERT INTO records(pack, offset, length) SELECT 1, i, 0 FROM n
                """)
            try stage.connection.run(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO blobs(digest, size, place, record, created, used)
                    SELECT x'01' || randomblob(32), 1, 1, i + 1, 1, 1 FROM n
                """)
            try stage.connection.run(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO refs(name, blob, learned, checked, origin, verified, access, used)
                    SELECT 'go/example.com/m' || i || '@v1.0.0.mod', i, 1, 1, 'https://proxy.example', 1, 1, 1
                    FROM n
                """)
        }
    }
}
