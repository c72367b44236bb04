import Foundation

/// Where a `LineWriter` puts its lines; called on the writer's thread only.
package protocol LineSink: Sendable {
    /// Writes whole lines, in order, each with its line feed. `lost` lines were dropped just before them, the queue
    /// being full.
    func write(_ lines: [UInt8], lost: Int)
}

/// Takes lines from any thread without ever waiting, and writes them on a thread of its own.
///
/// The queue is bounded: lines that come while it is full are dropped and counted, so that a stuck terminal
/// or disk costs log lines, never requests.
package final class LineWriter: Sendable {
    private let queue: Queue
    private let limit: Int

    /// - Parameters:
    ///   - limit: how many lines wait at most.
    ///   - gather: how long the first line waits for others, so that many are written at once.
    package init(name: String, limit: Int = 16_384, gather: Duration = .zero, sink: any LineSink) {
        self.limit = limit
        let queue = Queue(gather: gather / .seconds(1))
        self.queue = queue
        let thread = Thread { Self.run(queue, sink) }
        thread.name = name
        thread.start()
    }

    /// - Parameter line: with its line feed.
    package func append(_ line: [UInt8]) {
        queue.condition.lock()
        defer { queue.condition.unlock() }
        guard !queue.isClosed, queue.count < limit else {
            queue.lost += 1
            return
        }
        // Copied, so that whoever made the line frees it: memory that another thread frees costs more.
        queue.lines += line
        queue.count += 1
        queue.appended += 1
        if queue.count == 1 {
            queue.condition.broadcast()
        } else if queue.count == limit / 2 {
            queue.isHurried = true
            queue.condition.broadcast()
        }
    }

    /// Waits until everything that was appended before is written. Not for event loops or tasks.
    package func flush() {
        queue.condition.lock()
        defer { queue.condition.unlock() }
        let goal = queue.appended
        queue.isHurried = true
        queue.condition.broadcast()
        while queue.written < goal { queue.condition.wait() }
    }

    /// Writes what waits and ends the thread; later lines are dropped.
    package func close() {
        queue.condition.lock()
        defer { queue.condition.unlock() }
        queue.isClosed = true
        queue.condition.broadcast()
        while !queue.isDone { queue.condition.wait() }
    }

    /// Memory of this size is used again for the next lines.
    private static let keptBytes = 1 << 20

    private static func run(_ queue: Queue, _ sink: any LineSink) {
        var lines: [UInt8] = []
        queue.condition.lock()
        while true {
            while queue.count == 0, !queue.isClosed { queue.condition.wait() }
            if queue.gather > 0 {
                let deadline = Date(timeIntervalSinceNow: queue.gather)
                while !queue.isClosed, !queue.isHurried, queue.condition.wait(until: deadline) {}
            }
            queue.isHurried = false
            let (count, lost) = (queue.count, queue.lost)
            if count == 0, lost == 0 { break }
            swap(&queue.lines, &lines)
            (queue.count, queue.lost) = (0, 0)
            queue.condition.unlock()
            sink.write(lines, lost: lost)
            lines.removeAll(keepingCapacity: lines.count <= keptBytes)
            queue.condition.lock()
            queue.written += count
            queue.condition.broadcast()
        }
        queue.isDone = true
        queue.condition.broadcast()
        queue.condition.unlock()
    }

    private final class Queue: @unchecked Sendable {
        // Sendable: every field but the condition is read and written with the condition's lock held.
        let condition = NSCondition()
        let gather: Double
        /// Somebody waits for what is appended, or the queue fills up.
        var isHurried = false
        var lines: [UInt8] = []
        var count = 0
        var lost = 0
        var appended = 0
        var written = 0
        var isClosed = false
        var isDone = false

        init(gather: Double) { self.gather = gather }
    }
}
