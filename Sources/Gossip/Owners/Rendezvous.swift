/// Rendezvous hashing (Thaler, Ravishankar 1998): every node that sees the same members names the same owners, and a
/// member that goes moves only what was its own.
package enum Rendezvous {
    /// The `count` members with the highest scores for an object, the highest first.
    package static func owners(of id: InventoryID, among members: [NodeTag], count: Int = 2) -> [NodeTag] {
        var best: [(score: UInt64, tag: NodeTag)] = []
        for tag in members {
            let score = mixed(id.rawValue ^ mixed(tag.rawValue))
            if best.count == count, let last = best.last, (score, tag) <= (last.score, last.tag) { continue }
            let index = best.firstIndex { ($0.score, $0.tag) < (score, tag) } ?? best.count
            best.insert((score, tag), at: index)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.tag)
    }
}
