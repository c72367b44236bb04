import ChunkStore
import Content

/// What the crash test does to a store: everything that changes the disk, small.
struct CrashScenario {
    let directory: TestDirectory
    let files: RecordingFileSystem
    let oracle: CrashOracle

    private func open() async throws -> ChunkStore {
        try await directory.open(files: files) {
            $0.smallObjectLimit = 4096
            $0.packSizeLimit = 12_000
        }
    }

    func run() async throws {
        var store = try await open()
        let kept = try await put(store, 1, size: 300, name: "go/a@v1.mod")
        let dropped = try await put(store, 2, size: 3000, name: "go/b@v1.mod")
        try await concurrentPuts(store)
        let blob = try await publish(store, 3, size: 40_000, name: "go/a@v1.zip")
        try await publishTwice(store)
        try await rename(store, "go/list", to: kept, then: blob)
        try await remove(store, dropped, names: ["go/b@v1.mod"])
        try await remove(store, blob, names: ["go/a@v1.zip", "go/list"])
        _ = try await publish(store, 3, size: 40_000, name: "go/a@v1.zip")
        try await fillAndRewritePacks(store)
        await store.close()
        store = try await open()
        try await parkAndResume(&store)
        try await store.beginIngest().write(randomBytes(5000, seed: 77), at: 0)
        await store.close()
    }

    private func put(_ store: ChunkStore, _ seed: UInt64, size: Int, name: String) async throws -> Digest {
        let bytes = randomBytes(size, seed: seed)
        let digest = oracle.knows(bytes)
        return try await oracle.doing([
            (CrashOracle.blob(digest), "held"), (CrashOracle.name(name), digest.description),
        ]) { try await store.put(bytes, references: [.sample(name, digest)]) }
    }

    private func concurrentPuts(_ store: ChunkStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<6 {
                group.addTask {
                    _ = try await put(store, 100 + UInt64(index), size: 700, name: "go/many/\(index)")
                }
            }
            try await group.waitForAll()
        }
    }

    private func publish(
        _ store: ChunkStore, _ seed: UInt64, size: Int, name: String
    ) async throws -> Digest {
        let bytes = randomBytes(size, seed: seed)
        let digest = oracle.knows(bytes)
        return try await oracle.doing([
            (CrashOracle.blob(digest), "held"), (CrashOracle.name(name), digest.description),
        ]) {
            let ingest = try await store.beginIngest(expected: digest)
            try await ingest.write(Array(bytes[(size / 2)...]), at: Int64(size / 2))
            try await ingest.write(Array(bytes[..<(size / 2)]), at: 0)
            ingest.markEnd(at: Int64(size))
            _ = try await ingest.seal()
            _ = try await ingest.publish([.sample(name, digest)])
            return digest
        }
    }

    /// Two ingests of the same bytes, published at the same time.
    private func publishTwice(_ store: ChunkStore) async throws {
        async let first = publish(store, 4, size: 9_000, name: "oci/one")
        async let second = publish(store, 4, size: 9_000, name: "oci/two")
        _ = try await (first, second)
    }

    private func rename(_ store: ChunkStore, _ name: String, to first: Digest, then second: Digest)
        async throws
    {
        for digest in [first, second] {
            try await oracle.doing([(CrashOracle.name(name), digest.description)]) {
                try await store.setReference(.sample(name, digest))
            }
        }
    }

    private func remove(_ store: ChunkStore, _ digest: Digest, names: [String]) async throws {
        let changes = [(CrashOracle.blob(digest), nil)] + names.map { (CrashOracle.name($0), nil as String?) }
        _ = try await oracle.doing(changes) {
            try await store.remove(digest, because: "the scenario says so")
        }
    }

    private func fillAndRewritePacks(_ store: ChunkStore) async throws {
        var digests: [Digest] = []
        for index in 0..<9 {
            digests.append(try await put(store, 200 + UInt64(index), size: 2500, name: "go/fill/\(index)"))
        }
        for index in stride(from: 0, to: 9, by: 2) {
            try await remove(store, digests[index], names: ["go/fill/\(index)"])
        }
        try await store.rewritePacks()
    }

    /// A partial that is parked, survives closing and is gone on with.
    private func parkAndResume(_ store: inout ChunkStore) async throws {
        let bytes = randomBytes(1_200_000, seed: 5)
        let digest = oracle.knows(bytes)
        let ingest = try await store.beginIngest(expected: digest, size: 1_200_000)
        try await ingest.write(Array(bytes[..<1_100_000]), at: 0)
        await store.close()
        store = try await open()
        let held = store
        try await oracle.doing([
            (CrashOracle.blob(digest), "held"), (CrashOracle.name("oci/parked"), digest.description),
        ]) {
            guard let resumed = try await held.parkedIngest(expected: digest) else {
                throw StoreError.incomplete(present: 0, size: 1_200_000)
            }
            try await resumed.write(Array(bytes[1_100_000...]), at: 1_100_000)
            _ = try await resumed.seal()
            _ = try await resumed.publish([.sample("oci/parked", digest)])
        }
    }
}
