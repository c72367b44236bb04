/// What is still to be said to everybody: each item so many times, the least said first (SWIM, section 4.1).
struct SpreadQueue: Sendable {
    enum Topic: UInt8, Hashable, Comparable, Sendable {
        case card = 0
        case accusation = 1
        case head = 2

        static func < (left: Topic, right: Topic) -> Bool { left.rawValue < right.rawValue }
    }

    /// A later item of the same topic about the same member takes an earlier one's place.
    struct Key: Hashable, Sendable {
        let topic: Topic
        let about: NodeTag
        /// Accusers are heard one by one.
        var by = NodeTag(rawValue: 0)
    }

    private struct Item: Sendable {
        let key: Key
        let bytes: [UInt8]
        var left: Int
    }

    /// Items at most; the most said one goes for a new one.
    private static let limit = 4096
    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }

    mutating func say(_ message: GossipMessage, _ key: Key, times: Int) {
        items.removeAll { $0.key == key }
        if items.count >= Self.limit, let index = items.indices.min(by: { items[$0].left < items[$1].left }) {
            items.remove(at: index)
        }
        items.append(Item(key: key, bytes: message.encoded, left: times))
    }

    /// What is no longer true need not be said.
    mutating func forget(_ topic: Topic, about tag: NodeTag) {
        items.removeAll { $0.key.topic == topic && $0.key.about == tag }
    }

    /// Fills up to `space` bytes; what is said the last time goes.
    mutating func take(space: Int) -> [UInt8] {
        guard !items.isEmpty else { return [] }
        // Membership before inventories, then the least said; equal ones in their order.
        let order = items.indices.sorted { left, right in
            let (first, second) = (items[left], items[right])
            let (isHead, otherIsHead) = (first.key.topic == .head, second.key.topic == .head)
            if isHead != otherIsHead { return !isHead }
            return first.left == second.left ? left < right : first.left > second.left
        }
        var bytes: [UInt8] = []
        for index in order where bytes.count + items[index].bytes.count <= space {
            bytes += items[index].bytes
            items[index].left -= 1
        }
        items.removeAll { $0.left <= 0 }
        return bytes
    }
}
