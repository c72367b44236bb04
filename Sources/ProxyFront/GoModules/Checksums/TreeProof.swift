/// The proof that a transparency log's tree continues an older one (RFC 6962, section 2.1.2): which hashes it
/// consists of, and how it is checked.
enum TreeProof {
    /// The complete subtrees whose hashes prove that a tree of `size` records continues that of its first
    /// `older`; one list for each hash of the proof.
    ///
    /// - Precondition: 0 < older <= size.
    static func consistency(older: Int64, size: Int64) -> [[TreeNode]] {
        var proof: [[TreeNode]] = []
        var range = 0..<size
        while range.upperBound != older {
            let middle = range.lowerBound + split(Int64(range.count))
            if older <= middle {
                proof.append(TreeNode.covering(middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                proof.append(TreeNode.covering(range.lowerBound..<middle))
                range = middle..<range.upperBound
            }
        }
        if range.lowerBound > 0 { proof.append(TreeNode.covering(range)) }
        return proof.reversed()
    }

    /// The hashes of the older and the newer tree by this proof; nil when the proof has a wrong length.
    ///
    /// - Parameter hash: the hash of the older tree, of which the proof says nothing when it is a complete
    ///   subtree from the first record on.
    static func roots(
        older: Int64, hash: TreeHash, size: Int64, proof: [TreeHash]
    ) -> (older: TreeHash, newer: TreeHash)? {
        guard older > 0, older <= size else { return nil }
        var olderIsLeft: [Bool] = []
        var range = 0..<size
        while range.upperBound != older {
            let middle = range.lowerBound + split(Int64(range.count))
            olderIsLeft.append(older <= middle)
            range = older <= middle ? range.lowerBound..<middle : middle..<range.upperBound
        }
        var rest = proof[...]
        guard let start = range.lowerBound == 0 ? hash : rest.popFirst(), rest.count == olderIsLeft.count
        else {
            return nil
        }
        var roots = (older: start, newer: start)
        for (isLeft, sibling) in zip(olderIsLeft.reversed(), rest) {
            if isLeft {
                roots.newer = .node(roots.newer, sibling)
            } else {
                roots = (.node(sibling, roots.older), .node(sibling, roots.newer))
            }
        }
        return roots
    }

    /// The largest power of two below `count`, which must be above one.
    private static func split(_ count: Int64) -> Int64 { 1 << Int64(63 - (count - 1).leadingZeroBitCount) }
}
