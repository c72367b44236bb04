import Crypto
import Foundation
import ProxyFront

/// A checksum database of a test's own: records, the tree over them, and a key that signs it.
struct TestLog {
    typealias Key = Curve25519.Signing.PrivateKey

    let name: String
    let key: Key
    private(set) var records: [[UInt8]] = []
    /// By level, the hashes of complete subtrees.
    private var levels: [[TreeHash]] = []

    init(name: String = "sum.test", key: Key = Key()) {
        self.name = name
        self.key = key
    }

    static func module(_ number: Int64) -> ModuleIdentity {
        ModuleIdentity(
            path: try! ModulePath("example.com/m\(number)"), version: try! ModuleVersion("v1.0.0"))
    }

    /// Adds records up to a size; `salt` makes those of two logs differ.
    mutating func grow(to size: Int64, salt: String = "") {
        while Int64(records.count) < size {
            let module = Self.module(Int64(records.count))
            let sum = ModuleHash.goMod(Array("\(module)\(salt)".utf8))
            append(Array("\(module.path) v1.0.0 \(sum)\n\(module.path) v1.0.0/go.mod \(sum)\n".utf8))
        }
    }

    /// Adds a record of its own.
    mutating func append(record: [UInt8]) { append(record) }

    private mutating func append(_ record: [UInt8]) {
        records.append(record)
        var hash = TreeHash.leaf(record)
        var level = 0
        while true {
            if levels.count == level { levels.append([]) }
            levels[level].append(hash)
            guard levels[level].count % 2 == 0 else { return }
            hash = .node(levels[level][levels[level].count - 2], hash)
            level += 1
        }
    }

    /// By the definition of RFC 6962, section 2.1, apart from the code under test.
    func root(_ range: Range<Int64>) -> TreeHash {
        switch range.count {
        case 0: return .empty
        case 1: return levels[0][Int(range.lowerBound)]
        default:
            var split: Int64 = 1
            while split * 2 < Int64(range.count) { split *= 2 }
            let middle = range.lowerBound + split
            return .node(root(range.lowerBound..<middle), root(middle..<range.upperBound))
        }
    }

    var verifier: NoteVerifier { try! NoteVerifier(verifierKey) }

    var verifierKey: String {
        let bytes = [1] + Array(key.publicKey.rawRepresentation)
        return "\(name)+\(keyHash(bytes))+\(Data(bytes).base64EncodedString())"
    }

    private func keyHash(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: Array("\(name)\n".utf8) + bytes).prefix(4).map { String(format: "%02x", $0) }
            .joined()
    }

    func sign(_ text: String) -> [UInt8] { Array("\(text)\n\(signatureLine(text))".utf8) }

    func signatureLine(_ text: String) -> String {
        let bytes = [1] + Array(key.publicKey.rawRepresentation)
        let hash = SHA256.hash(data: Array("\(name)\n".utf8) + bytes).prefix(4)
        let signature = try! key.signature(for: Array(text.utf8))
        return "— \(name) \(Data(Array(hash) + Array(signature)).base64EncodedString())\n"
    }

    func head(_ size: Int64) -> [UInt8] { sign(TreeHead(size: size, hash: root(0..<size)).text) }

    func signedHead(_ size: Int64) throws -> SignedTreeHead {
        try SignedTreeHead(parsing: head(size), verifier: verifier)
    }

    func lookup(_ record: Int64, size: Int64) -> [UInt8] {
        Array("\(record)\n".utf8) + records[Int(record)] + [0x0a] + head(size)
    }

    /// The tile as the database serves it once it has `size` records; nil when it is not that wide yet.
    func tile(_ tile: Tile, size: Int64) -> [UInt8]? {
        guard let level = tile.level else { return nil }
        let start = tile.number << 8
        guard start + Int64(tile.width) <= size >> Int64(level * 8), level * 8 < levels.count else {
            return nil
        }
        return levels[level * 8][Int(start)..<(Int(start) + tile.width)].flatMap(\.bytes)
    }
}

/// The log as a client's source, at a size of its own, or cut off.
final class LogSource: SumDBSource {
    let log: TestLog
    let size: Int64
    private let memory = MemorySource(lookups: [:], tiles: [:])

    init(_ log: TestLog, size: Int64) {
        self.log = log
        self.size = size
    }

    func lookup(_ module: ModuleIdentity) async throws -> [UInt8] {
        guard let record = (0..<size).first(where: { TestLog.module($0) == module }) else {
            throw MemorySource.Missing(what: module.description)
        }
        return log.lookup(record, size: size)
    }

    func tile(_ tile: Tile) async throws -> [UInt8] {
        guard let bytes = log.tile(tile, size: size) else { throw MemorySource.Missing(what: tile.path) }
        return bytes
    }

    func save(_ tiles: [(tile: Tile, hashes: [UInt8])]) async { await memory.save(tiles) }
    func save(_ head: SignedTreeHead) async throws { try await memory.save(head) }

    var saved: [Tile: [UInt8]] { memory.saved }
    var head: SignedTreeHead? { memory.head }
}
