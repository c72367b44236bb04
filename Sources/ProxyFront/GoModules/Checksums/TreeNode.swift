/// A complete subtree of a transparency log: the hash over records `number << level` up to, not including,
/// `(number + 1) << level` (RFC 6962, section 2.1).
struct TreeNode: Hashable {
    let level: Int
    let number: Int64

    /// The fewest complete subtrees that together hold records `range`, from left to right.
    ///
    /// - Precondition: the range begins where a subtree as large as the whole range could begin.
    static func covering(_ range: Range<Int64>) -> [TreeNode] {
        var nodes: [TreeNode] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let level = 63 - (range.upperBound - start).leadingZeroBitCount
            nodes.append(TreeNode(level: level, number: start >> Int64(level)))
            start += 1 << Int64(level)
        }
        return nodes
    }

    /// The complete subtrees that the tree of `size` records is made of.
    static func peaks(of size: Int64) -> [TreeNode] { covering(0..<size) }

    /// The hash of a tree from those of its peaks, in the order of `covering`.
    static func fold(_ hashes: some BidirectionalCollection<TreeHash>) -> TreeHash {
        guard var hash = hashes.last else { return .empty }
        for left in hashes.dropLast().reversed() { hash = .node(left, hash) }
        return hash
    }
}
