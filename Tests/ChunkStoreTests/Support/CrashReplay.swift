import ChunkStore
import Content

/// Plays a recorded journal back with a crash after each operation.
struct CrashReplay: Sendable {
    var journal: [DiskOperation]
    let oracle: CrashOracle

    /// The journal without the syncs of files (or directories) whose path starts so.
    func forgettingSyncs(of prefix: String) -> CrashReplay {
        var names: [Int: String] = [:]
        let directory = prefix.hasPrefix("directory ") ? String(prefix.dropFirst(10)) : nil
        var replay = self
        replay.journal = journal.map { operation in
            switch operation {
            case .create(let name, let file): names[file] = name
            case .synchronize(let file) where names[file]?.hasPrefix(prefix) == true: return .nothing
            case .synchronizeDirectory(let path) where directory.map(path.hasPrefix) == true: return .nothing
            default: break
            }
            return operation
        }
        return replay
    }

    /// What is wrong at the first crash point at which anything is; nil = nothing anywhere.
    /// - Parameter seeds: how many random crashes are tried at each point.
    func run(seeds: Int) async -> String? {
        var disk = SimulatedDisk()
        for point in 0...journal.count {
            var crashes: [SimulatedDisk.Crash] = [.losingAll]
            if point % 8 == 0 { crashes.append(.losingNothing) }
            crashes += (0..<seeds).map { .losingSome(seed: UInt64(point * 1000 + $0)) }
            for crash in crashes {
                let findings = await findings(after: crash, on: disk, at: point)
                if !findings.isEmpty {
                    return "crash \(crash) after operation \(point) of \(journal.count): \(findings)"
                }
            }
            if point < journal.count { disk.apply(journal[point]) }
        }
        return nil
    }

    private func findings(
        after crash: SimulatedDisk.Crash, on disk: SimulatedDisk, at point: Int
    ) async -> [String] {
        do {
            let directory = TestDirectory()
            try disk.materialise(crash, at: directory.path)
            let store = try await directory.open(files: HastyFileSystem())
            var findings = try await oracle.findings(in: store, at: point)
            findings += try await StoreAudit(store: store, directory: directory.path).findings()
            // It must also work on, right behind whatever the crash left.
            let digest = try await store.put(Array("after \(point)".utf8))
            await store.close()
            let again = try await directory.open(files: HastyFileSystem())
            if try await again.object(digest) == nil { findings.append("a put after the crash is lost") }
            await again.close()
            return findings
        } catch {
            return ["\(error)"]
        }
    }
}
