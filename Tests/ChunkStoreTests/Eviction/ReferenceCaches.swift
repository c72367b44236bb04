/// S3-FIFO as the paper's algorithm 1 has it, line by line, on plain arrays: the independent reference.
struct ReferenceS3FIFO: SimulatedCache {
    let capacity: Int64
    private var small = Queue()
    private var main = Queue()
    private var ghost = Queue()
    private var frequency: [Int: Int] = [:]

    /// A queue that entries can also leave in the middle: they are then skipped at the tail.
    struct Queue {
        private var items: [(object: Int, size: Int64, serial: Int)] = []
        private var start = 0
        private var members: [Int: (serial: Int, size: Int64)] = [:]
        private var serial = 0
        private(set) var bytes: Int64 = 0
        var isEmpty: Bool { members.isEmpty }

        func contains(_ object: Int) -> Bool { members[object] != nil }

        mutating func pushHead(_ object: Int, _ size: Int64) {
            serial += 1
            items.append((object, size, serial))
            members[object] = (serial, size)
            bytes += size
        }

        mutating func remove(_ object: Int) {
            if let member = members.removeValue(forKey: object) { bytes -= member.size }
        }

        mutating func popTail() -> (object: Int, size: Int64) {
            while members[items[start].object]?.serial != items[start].serial { start += 1 }
            let item = items[start]
            start += 1
            remove(item.object)
            return (item.object, item.size)
        }
    }

    init(capacity: Int64) { self.capacity = capacity }

    mutating func access(_ x: Int, size: Int64) -> Bool {
        if let count = frequency[x] {
            frequency[x] = min(count + 1, 3)
            return true
        }
        while small.bytes + main.bytes + size > capacity, !(small.isEmpty && main.isEmpty) { evict() }
        if ghost.contains(x) {
            ghost.remove(x)
            main.pushHead(x, size)
        } else {
            small.pushHead(x, size)
        }
        frequency[x] = 0
        return false
    }

    private mutating func evict() {
        if main.isEmpty || (!small.isEmpty && small.bytes >= capacity / 10) {
            evictSmall()
        } else {
            evictMain()
        }
    }

    private mutating func evictSmall() {
        while !small.isEmpty {
            let t = small.popTail()
            if frequency[t.object, default: 0] > 1 {
                main.pushHead(t.object, t.size)
                frequency[t.object] = 0
                if main.bytes > capacity * 9 / 10 { evictMain() }
            } else {
                ghost.pushHead(t.object, t.size)
                while ghost.bytes > capacity * 9 / 10 { _ = ghost.popTail() }
                frequency[t.object] = nil
                return
            }
        }
    }

    private mutating func evictMain() {
        while !main.isEmpty {
            let t = main.popTail()
            if frequency[t.object, default: 0] > 0 {
                main.pushHead(t.object, t.size)
                frequency[t.object, default: 0] -= 1
            } else {
                frequency[t.object] = nil
                return
            }
        }
    }
}

/// Least recently used, by bytes.
struct ReferenceLRU: SimulatedCache {
    let capacity: Int64
    private var used: Int64 = 0
    private var time = 0
    private var lastUse: [Int: Int] = [:]
    // Uses in their order; one that a later use of the same object made void is skipped.
    private var order: [(object: Int, time: Int, size: Int64)] = []
    private var start = 0

    init(capacity: Int64) { self.capacity = capacity }

    mutating func access(_ object: Int, size: Int64) -> Bool {
        time += 1
        let hit = lastUse[object] != nil
        if !hit {
            while used + size > capacity, start < order.count {
                let oldest = order[start]
                start += 1
                if lastUse[oldest.object] == oldest.time {
                    lastUse[oldest.object] = nil
                    used -= oldest.size
                }
            }
            used += size
        }
        lastUse[object] = time
        order.append((object, time, size))
        return hit
    }
}
