import ChunkStore
import Content
import ProxyFront

import struct FoundationEssentials.Date

/// Takes a tree of modules in, the checksum database's records that lie beside them first.
struct ModuleTreeImport: Sendable {
    let tree: ModuleTree
    let access: AccessClass
    let modules: ModuleIntake
    let sums: SumDatabases
    let now: Date
    let tally: ImportTally

    func run() async throws {
        tally.begin("a tree of modules", total: tree.files.count)
        for records in CachedRecords.all(in: tree) {
            guard let intake = await sums.absorb(records) else {
                tally.note(
                    "there are records of \(records.database), a checksum database that is not configured here"
                )
                continue
            }
            tally.note(
                "\(records.database): \(intake.kept) records came in, \(intake.held) were held, "
                    + "\(intake.refused.count) could not be proven")
            // A record that cannot be proven costs its module the proof, not its place.
            for line in intake.refused.prefix(20) { tally.note(line) }
        }
        for (file, path) in tree.files {
            try Task.checkCancellation()
            do {
                try await take(file, path)
            } catch let refusal as ModuleRefusal {
                tally.refuse("\(refusal)")
            } catch let error as SourceError {
                tally.refuse("\(error)")
            } catch let error as FileBytes.Failure {
                tally.refuse("\(path): \(error)")
            }
            tally.finished()
        }
    }

    private func take(_ file: ModuleFile, _ path: String) async throws {
        let tree = tree
        let (slice, noted) = try await FileBytes.onThread {
            (try tree.tree.file(path), tree.notedSum(of: path))
        }
        guard let slice else { return }
        let claim = ModuleClaim(found: "import", at: now, h1: noted, access: access)
        let outcome = try await modules.take(file, from: slice, claim: claim, progress: tally.read)
        tally.took(file, outcome, bytes: slice.count)
    }
}
