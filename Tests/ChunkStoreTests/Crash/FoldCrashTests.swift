import ChunkStore
import Content
import Foundation
import Testing

/// Every point at which the power may fail while blobs are settled, folded, unfolded and evicted.
@Suite struct FoldCrashTests {
    private func recorded(_ faults: Faults = []) async throws -> CrashReplay {
        let directory = TestDirectory()
        let files = RecordingFileSystem(root: directory.path)
        let oracle = CrashOracle { files.count }
        let store = try await directory.open(faults: faults, files: files) {
            $0.smallObjectLimit = 512
            $0.packSizeLimit = 12_000
        }
        var digests: [Digest] = []
        for (index, bytes) in TestZip.family(versions: 4, files: 5, changed: 1, seed: 3).enumerated() {
            let digest = oracle.knows(bytes)
            digests.append(digest)
            let name = "go/m@v\(index).zip"
            _ = try await oracle.doing([
                (CrashOracle.blob(digest), "held"), (CrashOracle.name(name), digest.description),
            ]) { try await store.publish(bytes, [name]) }
        }
        try await store.settle(digests[0])
        for digest in digests.prefix(3) { _ = try await store.fold(digest) }
        for (index, digest) in [(0, digests[0]), (3, digests[3])] {
            _ = try await oracle.doing([
                (CrashOracle.blob(digest), nil), (CrashOracle.name("go/m@v\(index).zip"), nil),
            ]) { try await store.evict(digest) }
        }
        try await store.unfold(digests[1])
        try await store.collectGarbage()
        _ = try await store.fold(digests[1])
        await store.close()
        return CrashReplay(journal: files.journal, oracle: oracle)
    }

    @Test func everyCrashPointKeepsWhatWasPromised() async throws {
        let replay = try await recorded()
        let soak = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"
        let findings = await replay.run(seeds: soak ? 12 : 1)
        #expect(findings == nil)
    }

    @Test func aFileThatIsUnlinkedTooEarlyIsFound() async throws {
        #expect(try await recorded(.unlinkBeforeCommit).run(seeds: 1) != nil)
    }

    @Test(arguments: ["packs/", "ingest/"])
    func aForgottenSyncIsFound(which: String) async throws {
        #expect(try await recorded().forgettingSyncs(of: which).run(seeds: 1) != nil)
    }
}
