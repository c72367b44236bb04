/// The size and root hash of a checksum database's tree (golang.org/x/mod/sumdb/tlog, `Tree`).
public struct TreeHead: Hashable, Sendable {
    /// The largest tree accepted, so that no arithmetic on it can overflow.
    public static let maximumSize: Int64 = 1 << 54

    /// How many records the tree has.
    public let size: Int64
    public let hash: TreeHash

    public init(size: Int64, hash: TreeHash) {
        precondition((0...Self.maximumSize).contains(size), "a tree's size lies within its bounds")
        self.size = size
        self.hash = hash
    }

    /// Parses `go.sum database tree`, the size and the hash, each on a line of its own; lines that follow are
    /// left to later versions. Nil for anything else.
    public init?(parsing text: String) {
        let lines = text.split(separator: "\n" as Character, maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4, lines[0] == "go.sum database tree", let size = Int64(lines[1]),
            (0...Self.maximumSize).contains(size), lines[1] == String(size),
            let hash = TreeHash(base64: lines[2])
        else { return nil }
        self.size = size
        self.hash = hash
    }

    /// The text that is signed.
    public var text: String { "go.sum database tree\n\(size)\n\(hash)\n" }
}

/// A tree head with the signed note that it was read from: what `latest` serves and what stands behind every
/// lookup.
public struct SignedTreeHead: Hashable, Sendable {
    public let head: TreeHead
    /// The note, byte for byte.
    public let note: [UInt8]

    public var size: Int64 { head.size }

    /// - Throws: `SumDBError.note` or `.malformedHead`.
    public init(parsing note: [UInt8], verifier: NoteVerifier) throws(SumDBError) {
        let text: String
        do { text = try SignedNote(parsing: note, verifiers: [verifier]).text } catch { throw .note(error) }
        guard let head = TreeHead(parsing: text) else { throw .malformedHead(text) }
        self.head = head
        self.note = note
    }
}
