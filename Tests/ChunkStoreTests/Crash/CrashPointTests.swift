import ChunkStore
import Content
import Foundation
import Testing

/// Every point at which the power may fail: a scenario is recorded, then each prefix of its disk operations is
/// turned into a disk on which unsynced changes were lost, torn or reordered; the store must open there, keep its
/// promises and have lost no space.
@Suite struct CrashPointTests {
    private func recorded() async throws -> CrashReplay {
        let directory = TestDirectory()
        let files = RecordingFileSystem(root: directory.path)
        let oracle = CrashOracle { files.count }
        try await CrashScenario(directory: directory, files: files, oracle: oracle).run()
        return CrashReplay(journal: files.journal, oracle: oracle)
    }

    @Test func everyCrashPointKeepsWhatWasPromised() async throws {
        let replay = try await recorded()
        #expect(replay.journal.count > 200)
        let soak = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"
        let findings = await replay.run(seeds: soak ? 12 : 1)
        #expect(findings == nil)
    }

    /// The replay itself is tested by taking one kind of sync out of the journal, as if the store forgot it.
    @Test(arguments: ["ingest/", "packs/", "index.sqlite-wal", "directory blobs", "directory packs"])
    func aForgottenSyncIsFound(which: String) async throws {
        let replay = try await recorded()
        let findings = await replay.forgettingSyncs(of: which).run(seeds: 1)
        #expect(findings != nil)
    }
}
