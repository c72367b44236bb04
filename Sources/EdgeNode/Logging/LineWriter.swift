import Foundation

/// Where a `LineWriter` puts its lines; called on the writer's thread only.
package protocol LineSink: Sendable {
    /// Writes whole lines, in order. `lost` lines were dropped just before them, the queue being full.
    func write(_ lines: [[UInt8]], lost: Int)
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

    package func append(_ line: [UInt8]) {
        queue.condition.lock()
        defer { queue.condition.unlock() }
        guard !queue.isClosed, queue.lines.count < limit else {
            queue.lost += 1
            return
        }
        queue.lines.append(line)
        queue.appended += 1
        if queue.lines.count == 1 {
            queue.condition.broadcast()
        } else if queue.lines.count == limit / 2 {
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

    private static func run(_ queue: Queue, _ sink: any LineSink) {
        queue.condition.lock()
        while true {
            while queue.lines.isEmpty, !queue.isClosed { queue.condition.wait() }
            if queue.gather > 0 {
                let deadline = Date(timeIntervalSinceNow: queue.gather)
                while !queue.isClosed, !queue.isHurried, queue.condition.wait(until: deadline) {}
            }
            queue.isHurried = false
            let lines = queue.lines
            let lost = queue.lost
            queue.lines = []
            queue.lost = 0
            if lines.isEmpty, lost == 0 { break }
            queue.condition.unlock()
            sink.write(lines, lost: lost)
            queue.condition.lock()
            queue.written += lines.count
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
        var lines: [[UInt8]] = []
        var lost = 0
        var appended = 0
        var written = 0
        var isClosed = false
        var isDone = false

        init(gather: Double) { self.gather = gather }
    }
}
