import ChunkStore
import Content
import Foundation

/// Looks through a store for anything that breaks the invariants of docs/store-format.md.
struct StoreAudit {
    let store: ChunkStore
    let directory: String

    /// A sentence for each thing that is wrong.
    func findings() async throws -> [String] {
        await store.recovered()
        return try await files() + index() + contents()
    }

    /// Every file has its row and every row its file: no space is lost (invariants 2 and 6).
    private func files() async throws -> [String] {
        var findings: [String] = []
        let rows = try await allBlobs()
        let wanted = Set(rows.filter { $0.place == .file }.map { store.parts.layout.blob($0.digest) })
        let found = Set(names(below: "blobs"))
        findings += found.subtracting(wanted).map { "orphan blob file \($0)" }
        findings += wanted.subtracting(found).map { "missing blob file \($0)" }

        let packs = try await store.parts.readers.read { try $0.packs() }
        let packPaths = Dictionary(uniqueKeysWithValues: packs.map { (store.parts.layout.pack($0.id), $0) })
        for path in names(below: "packs") {
            guard let row = packPaths[path] else {
                findings.append("orphan pack \(path)")
                continue
            }
            let size = try PosixFileSystem().size(at: path) ?? 0
            if size != row.length { findings.append("pack \(row.id) has \(size) bytes, not \(row.length)") }
        }
        findings += Set(packPaths.keys).subtracting(names(below: "packs")).map { "missing pack \($0)" }

        let parked = Set(store.parked.flatMap(\.files))
        findings += names(below: "ingest").filter { !parked.contains($0) }.map { "orphan partial \($0)" }
        return findings
    }

    /// Counters say what counting says; nothing points at nothing (invariants 5 and 8).
    func index() async throws -> [String] {
        try await store.parts.readers.read { connection in
            let checks: [(String, String)] = [
                (
                    "names without a blob",
                    "SELECT count(*) FROM refs WHERE blob NOT IN (SELECT id FROM blobs)"
                ),
                (
                    "blobs without their record",
                    "SELECT count(*) FROM blobs WHERE place = 1 AND record NOT IN (SELECT id FROM records)"
                ),
                (
                    "packs whose live bytes are miscounted",
                    """
                    SELECT count(*) FROM packs WHERE live !=
                        (SELECT coalesce(sum(length), 0) FROM records WHERE pack = packs.id)
                    """
                ),
                (
                    "records outside of their pack",
                    """
                    SELECT count(*) FROM records LEFT JOIN packs ON packs.id = pack
                        WHERE packs.length IS NULL OR offset + records.length > packs.length
                    """
                ),
                (
                    "chunks whose uses are miscounted",
                    """
                    SELECT count(*) FROM chunks WHERE refs != (SELECT count(*) FROM recipes, json_each(runs) AS run
                        WHERE number BETWEEN json_extract(run.value, '$[0]') AND json_extract(run.value, '$[1]'))
                    """
                ),
                (
                    "chunks without their record",
                    "SELECT count(*) FROM chunks WHERE record NOT IN (SELECT id FROM records)"
                ),
                (
                    "records without an owner",
                    """
                    SELECT count(*) FROM records WHERE id NOT IN (SELECT record FROM chunks)
                        AND id NOT IN (SELECT record FROM recipes)
                        AND id NOT IN (SELECT record FROM blobs WHERE record IS NOT NULL)
                    """
                ),
                (
                    "folded blobs without a recipe or recipes without one",
                    """
                    SELECT (SELECT count(*) FROM blobs WHERE place = 2 AND id NOT IN (SELECT blob FROM recipes))
                        + (SELECT count(*) FROM recipes
                            WHERE blob NOT IN (SELECT id FROM blobs WHERE place = 2))
                    """
                ),
                (
                    "wrong totals of blobs",
                    """
                    SELECT count(*) FROM totals WHERE name = 'blobs' AND (count, bytes) !=
                        (SELECT count(*), coalesce(sum(size), 0) FROM blobs)
                    """
                ),
                (
                    "wrong totals of files",
                    """
                    SELECT count(*) FROM totals WHERE name = 'files' AND (count, bytes) !=
                        (SELECT count(*), coalesce(sum(size), 0) FROM blobs WHERE place = 0)
                    """
                ),
                (
                    "wrong totals of records",
                    """
                    SELECT count(*) FROM totals WHERE name = 'records' AND (count, bytes) !=
                        (SELECT count(*), coalesce(sum(length), 0) FROM records)
                    """
                ),
                (
                    "wrong totals of names",
                    "SELECT count(*) FROM totals WHERE name = 'refs' AND count != (SELECT count(*) FROM refs)"
                ),
            ]
            var findings = try checks.compactMap { what, query in
                let count = try connection.first(query) { $0.integer(0) } ?? 0
                return count == 0 ? nil : "\(count) \(what)"
            }
            let integrity = try connection.first("PRAGMA integrity_check") { $0.text(0) ?? "" } ?? "nothing"
            if integrity != "ok" { findings.append("the index is corrupt: \(integrity)") }
            return findings
        }
    }

    /// Every blob reads as its digest says (invariant 1).
    private func contents() async throws -> [String] {
        var findings: [String] = []
        for row in try await allBlobs() {
            guard let object = try await store.object(row.digest) else {
                findings.append("\(row.digest) is in the index but cannot be read")
                continue
            }
            let bytes = try await object.bytes()
            if Digest(row.digest.algorithm, of: bytes) != row.digest {
                findings.append("\(row.digest) is corrupt")
            }
            if Int64(bytes.count) != row.size { findings.append("\(row.digest) has a wrong size") }
        }
        return findings
    }

    private func allBlobs() async throws -> [BlobRow] {
        var rows: [BlobRow] = []
        while true {
            let next = try await store.blobs(after: rows.last?.id ?? 0)
            if next.isEmpty { return rows }
            rows += next
        }
    }

    private func names(below folder: String) -> [String] {
        let root = directory + "/" + folder
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.map { root + "/" + $0 }.filter { path in
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            return !isDirectory.boolValue
        }
    }
}
