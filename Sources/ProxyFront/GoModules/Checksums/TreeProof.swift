/// Proofs about a transparency log's tree (RFC 6962, section 2.1): which hashes they consist of, and how they
/// are checked.
enum TreeProof {
    /// The complete subtrees whose hashes prove that a tree of `size` records holds record `record`; one list
    /// for each hash of the proof, from the leaf upwards.
    ///
    /// - Precondition: 0 <= record < size.
    static func inclusion(of record: Int64, size: Int64) -> [[TreeNode]] {
        var proof: [[TreeNode]] = []
        var range = 0..<size
        while range.count > 1 {
            let middle = range.lowerBound + split(Int64(range.count))
            if record < middle {
                proof.append(TreeNode.covering(middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                proof.append(TreeNode.covering(range.lowerBound..<middle))
                range = middle..<range.upperBound
            }
        }
        return proof.reversed()
    }

    /// The hash of the tree that holds the record's leaf by this proof; nil when the proof has a wrong length.
    static func root(record: Int64, leaf: TreeHash, size: Int64, proof: [TreeHash]) -> TreeHash? {
        var sides: [Bool] = []
        var range = 0..<size
        guard range.contains(record) else { return nil }
        while range.count > 1 {
            let middle = range.lowerBound + split(Int64(range.count))
            sides.append(record < middle)
            range = record < middle ? range.lowerBound..<middle : middle..<range.upperBound
        }
        guard sides.count == proof.count else { return nil }
        return zip(sides.reversed(), proof).reduce(leaf) { hash, step in
            step.0 ? .node(hash, step.1) : .node(step.1, hash)
        }
    }

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
