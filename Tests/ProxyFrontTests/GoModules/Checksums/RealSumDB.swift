import Foundation
import ProxyFront
import Synchronization

/// The data of the public checksum database that is committed with the tests.
enum RealSumDB {
    static let verifier = try! NoteVerifier("sum.golang.org")

    static let directory: URL = {
        var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        while url.lastPathComponent != "Tests" { url.deleteLastPathComponent() }
        return url.appending(path: "Data/sumdb")
    }()

    private static let root = directory.appending(path: "sum.golang.org")

    /// Every lookup, by module.
    static let lookups: [ModuleIdentity: [UInt8]] = {
        let folder = root.appending(path: "lookup")
        var lookups: [ModuleIdentity: [UInt8]] = [:]
        for (name, bytes) in files(below: folder) {
            let request = try! GoRequest(
                parsing: "/sumdb/sum.golang.org/lookup/\(name)", databases: ["sum.golang.org"])
            guard case .sumDB(_, .lookup(let module)) = request else { continue }
            lookups[module] = bytes
        }
        return lookups
    }()

    /// Every tile, as wide as it was served.
    static let tiles: [Tile: [UInt8]] = {
        var tiles: [Tile: [UInt8]] = [:]
        for (name, bytes) in files(below: root.appending(path: "tile")) {
            tiles[Tile(path: "tile/" + name)!] = bytes
        }
        return tiles
    }()

    static let latest = [UInt8](try! Data(contentsOf: directory.appending(path: "latest-9380838.txt")))

    /// Seven signed heads, oldest first.
    static let heads: [[UInt8]] = {
        let text = try! String(contentsOf: directory.appending(path: "signed-heads.txt"), encoding: .utf8)
        return text.components(separatedBy: "\ngo.sum database tree\n").enumerated().map { index, part in
            let note = index == 0 ? part : "go.sum database tree\n" + part
            return Array((note.trimmingCharacters(in: .newlines) + "\n").utf8)
        }
    }()

    /// The lookups, those with the newest heads first.
    static func newestFirst() throws -> [(module: ModuleIdentity, answer: [UInt8], size: Int64)] {
        try lookups.map { module, answer in
            let note = try SumDBLookup(parsing: answer).note
            return (module, answer, try SignedTreeHead(parsing: note, verifier: verifier).size)
        }.sorted { ($0.size, $0.module) > ($1.size, $1.module) }
    }

    private static func files(below folder: URL) -> [(String, [UInt8])] {
        let base = folder.resolvingSymlinksInPath().path + "/"
        let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        return (walk?.allObjects as? [URL] ?? []).compactMap { url in
            guard (try? url.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true else {
                return nil
            }
            let name = url.resolvingSymlinksInPath().path.dropFirst(base.count)
            return (String(name), [UInt8](try! Data(contentsOf: url)))
        }
    }
}

/// A checksum database's data in memory, as a client's source.
final class MemorySource: SumDBSource {
    struct Missing: Error { let what: String }

    private struct State {
        var lookups: [ModuleIdentity: [UInt8]]
        var tiles: [Tile: [UInt8]]
        var asked: [Tile] = []
        var saved: [Tile: [UInt8]] = [:]
        var head: SignedTreeHead?
    }

    private let state: Mutex<State>

    init(lookups: [ModuleIdentity: [UInt8]], tiles: [Tile: [UInt8]]) {
        state = Mutex(State(lookups: lookups, tiles: tiles))
    }

    func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
        guard let answer = state.withLock({ $0.lookups[module] }) else {
            throw Missing(what: module.description)
        }
        return answer
    }

    func tile(_ tile: Tile) async throws -> [UInt8] {
        let bytes = state.withLock { state in
            state.asked.append(tile)
            return state.tiles[tile]
        }
        guard let bytes else { throw Missing(what: tile.path) }
        return bytes
    }

    func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async {
        state.withLock { state in for (tile, hashes) in tiles { state.saved[tile] = hashes } }
    }

    func save(_ head: SignedTreeHead) async throws { state.withLock { $0.head = head } }

    var saved: [Tile: [UInt8]] { state.withLock { $0.saved } }
    var asked: Set<Tile> { state.withLock { Set($0.asked) } }
    var head: SignedTreeHead? { state.withLock { $0.head } }

    func put(_ tile: Tile, _ bytes: [UInt8]) { state.withLock { $0.tiles[tile] = bytes } }
    func put(_ module: ModuleIdentity, _ answer: [UInt8]) { state.withLock { $0.lookups[module] = answer } }
}
