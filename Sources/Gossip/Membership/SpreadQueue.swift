/// What is still to be said to everybody: each item so many times, the least said first (SWIM, section 4.1).
struct SpreadQueue: Sendable {
    /// In the order in which they are said: membership before inventories.
    enum Topic: Int, Hashable, CaseIterable, Sendable {
        case accusation = 0
        case card = 1
        case head = 2

        /// Items at most; the most said one goes for a new one. Cards are large, and whoever misses one gets it with
        /// the next exchange.
        fileprivate var limit: Int { self == .card ? 128 : 2048 }
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
    }

    /// Items of one topic, by how many times they are still to be said, in the order in which they got there.
    private struct Lane: Sendable {
        var levels: [[Item]] = []
        var count = 0

        mutating func put(_ item: Item, times: Int) {
            while levels.count <= times { levels.append([]) }
            levels[times].append(item)
            count += 1
        }

        mutating func remove(_ key: Key, times: Int) {
            levels[times].removeAll { $0.key == key }
            count -= 1
        }

        /// Takes out what fits, the least said first.
        mutating func take(space: Int) -> [(item: Item, times: Int)] {
            var (taken, left, missed): ([(item: Item, times: Int)], Int, Int) = ([], space, 0)
            for times in levels.indices.reversed() where !levels[times].isEmpty {
                var (seen, kept): (Int, [Item]) = (0, [])
                for item in levels[times] {
                    guard missed < SpreadQueue.missLimit, left >= SpreadQueue.leastByteCount else { break }
                    seen += 1
                    if item.bytes.count <= left {
                        left -= item.bytes.count
                        taken.append((item, times))
                    } else {
                        kept.append(item)
                        missed += 1
                    }
                }
                guard seen > 0 else { break }
                levels[times].replaceSubrange(0..<seen, with: kept)
            }
            count -= taken.count
            return taken
        }
    }

    /// No message that is spread is smaller.
    private static let leastByteCount = 14
    /// Items that are found too large before the search for one that fits is given up.
    private static let missLimit = 8

    /// By their topics.
    private var lanes = Topic.allCases.map { _ in Lane() }
    /// How many times each is still to be said. Only looked up, never walked through.
    private var left: [Key: Int] = [:]

    var isEmpty: Bool { left.isEmpty }

    mutating func say(_ message: GossipMessage, _ key: Key, times: Int) {
        remove(key)
        let topic = key.topic
        if lanes[topic.rawValue].count >= topic.limit,
            let most = lanes[topic.rawValue].levels.lazy.compactMap(\.first).first
        {
            remove(most.key)
        }
        put(Item(key: key, bytes: message.encoded), times: max(1, times))
    }

    private mutating func put(_ item: Item, times: Int) {
        lanes[item.key.topic.rawValue].put(item, times: times)
        left[item.key] = times
    }

    private mutating func remove(_ key: Key) {
        guard let times = left.removeValue(forKey: key) else { return }
        lanes[key.topic.rawValue].remove(key, times: times)
    }

    /// What is no longer true need not be said.
    mutating func forget(_ topic: Topic, about tag: NodeTag) {
        guard lanes[topic.rawValue].count > 0 else { return }
        for items in lanes[topic.rawValue].levels {
            for item in items where item.key.about == tag { remove(item.key) }
        }
    }

    /// Fills up to `space` bytes; what is said the last time goes. Accusations leave room for cards, which may be the
    /// answers to them.
    mutating func take(space: Int) -> [UInt8] {
        guard !left.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for topic in Topic.allCases {
            let isShared = topic == .accusation && lanes[Topic.card.rawValue].count > 0
            for (item, times) in lanes[topic.rawValue].take(
                space: isShared ? space / 2 : space - bytes.count)
            {
                bytes += item.bytes
                if times > 1 { put(item, times: times - 1) } else { left[item.key] = nil }
            }
        }
        return bytes
    }
}
