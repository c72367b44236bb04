/// Why a checksum database's answer is not believed.
public enum SumDBError: Error, Hashable, Sendable, CustomStringConvertible {
    case note(NoteError)
    case malformedHead(String)
    case malformedLookup(String)
    /// The signed tree does not reach up to the record.
    case recordBeyondTree(record: Int64, size: Int64)
    /// The tree holds another record in that place.
    case recordNotInTree(record: Int64)
    /// The record is in the tree and says nothing about the module that was asked for.
    case recordOfAnother(ModuleIdentity)
    case wrongTileSize(Tile, found: Int)
    /// The tiles do not add up to the signed tree: at least one of them is wrong.
    case inconsistentTiles(size: Int64)
    /// The database signed two trees of which neither continues the other: proof that it misbehaves.
    case fork(SumDBFork)

    /// Whether this proves that the database (or who holds its key) told different things to different
    /// people, rather than that a transmission went wrong.
    public var isSecurityIncident: Bool { if case .fork = self { true } else { false } }

    public var description: String {
        switch self {
        case .note(let error): "\(error)"
        case .malformedHead(let text): "\(QuotedText(text)) is not a tree head"
        case .malformedLookup(let reason): "malformed lookup answer: \(reason)"
        case .recordBeyondTree(let record, let size):
            "record \(record) cannot be in the signed tree of \(size) records"
        case .recordNotInTree(let record): "the signed tree holds another record \(record)"
        case .recordOfAnother(let module): "the record says nothing about \(module)"
        case .wrongTileSize(let tile, let found):
            "\(tile) has \(found) bytes instead of \(tile.byteCount ?? 0)"
        case .inconsistentTiles(let size): "the tiles do not add up to the signed tree of \(size) records"
        case .fork(let fork): fork.description
        }
    }
}

/// Two signed trees that contradict each other.
public struct SumDBFork: Error, Hashable, Sendable, CustomStringConvertible {
    public let older: SignedTreeHead
    public let newer: SignedTreeHead
    /// What the newer tree has for the hash of its first `older.size` records.
    public let found: TreeHash
    /// The proof that `found` belongs to the newer tree (RFC 6962, section 2.1.2); empty when the trees are
    /// of one size.
    public let proof: [TreeHash]

    /// Whether the report holds by itself, given that both notes are signed: the newer tree contains `found`
    /// where the older one has another hash. Nobody needs to be asked again.
    public var isProven: Bool {
        guard found != older.head.hash else { return false }
        let roots = TreeProof.roots(older: older.size, hash: found, size: newer.size, proof: proof)
        return roots?.older == found && roots?.newer == newer.head.hash
    }

    /// The full report, both notes included, for whoever runs the node.
    public var description: String {
        """
        SECURITY: the checksum database has signed two trees that contradict each other
        older tree:
        \(String(decoding: older.note, as: UTF8.self))
        newer tree:
        \(String(decoding: newer.note, as: UTF8.self))
        the newer tree's hash of its first \(older.size) records: \(found)
        proof: \(proof.map(\.description).joined(separator: " "))
        """
    }
}
