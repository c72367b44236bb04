/// What is to happen, and when: the clock of a simulated network, which moves only from one event to the next.
///
/// Events of one instant come out in the order in which they went in, so that a run depends on its seed alone.
package struct EventQueue<Event> {
    private struct Entry {
        let time: UInt64
        let sequence: UInt64
        let event: Event

        func isBefore(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    /// Nanoseconds since the simulation began.
    package private(set) var now: UInt64 = 0
    /// A binary heap, the next event at its top.
    private var heap: [Entry] = []
    private var sequence: UInt64 = 0

    package init() {}

    package var count: Int { heap.count }
    package var nextTime: UInt64? { heap.first?.time }

    /// - Parameter time: what lies in the past happens now.
    package mutating func push(_ event: Event, at time: UInt64) {
        heap.append(Entry(time: max(time, now), sequence: sequence, event: event))
        sequence += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The next event not later than `limit`; the clock moves to it, or to `limit` when there is none.
    package mutating func pop(until limit: UInt64) -> Event? {
        guard let first = heap.first, first.time <= limit else {
            now = max(now, limit)
            return nil
        }
        now = first.time
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return first.event
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
