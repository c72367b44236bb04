import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// What the connections of one event loop share; touched on that loop only.
///
/// Deadlines are kept as plain values in the connections and looked at by one repeated sweep, because a timer
/// per request would cost more than the request.
package final class LoopState {
    let eventLoop: any EventLoop
    /// `Date: ...` with its CRLF, as of the last sweep.
    private(set) var dateLine: [UInt8] = []
    /// Time of the last sweep.
    private(set) var now: NIODeadline
    /// Takes heads and small bodies; its memory is reused from answer to answer.
    var scratch = ByteBuffer()
    private(set) var isDraining = false
    private var connections: [Connection] = []
    private var sweeping: RepeatedTask?
    private var emptied: EventLoopPromise<Void>?
    private var nextRequest: UInt64

    /// `index` numbers the loops, so that request ids of two loops differ.
    package init(eventLoop: any EventLoop, index: Int, resolution: Duration) {
        self.eventLoop = eventLoop
        now = eventLoop.now
        nextRequest = UInt64(index) << 48
        refreshDate()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let delay = TimeAmount(resolution)
        sweeping = eventLoop.scheduleRepeatedTask(initialDelay: delay, delay: delay) { _ in
            bound.value.sweep()
        }
    }

    /// Most memory that is kept for the scratch buffer.
    private static let keptScratch = 128 << 10

    /// What was written to the scratch buffer, which is empty afterwards.
    func takeScratch() -> ByteBuffer {
        let batch = scratch
        scratch = ByteBuffer()
        return batch
    }

    /// Empties the scratch buffer, and lets go of its memory if that grew large.
    func clearScratch() {
        if scratch.capacity <= Self.keptScratch { scratch.clear() } else { scratch = ByteBuffer() }
    }

    /// Takes a sent batch's memory back, unless it grew large or something else was written meanwhile.
    func giveBack(_ batch: consuming ByteBuffer) {
        guard scratch.capacity == 0, batch.capacity <= Self.keptScratch else { return }
        batch.clear()
        scratch = batch
    }

    func nextRequestID() -> UInt64 {
        nextRequest &+= 1
        return nextRequest
    }

    func add(_ connection: Connection) {
        connection.slot = connections.count
        connections.append(connection)
    }

    func remove(_ connection: Connection) {
        let slot = connection.slot
        guard slot < connections.count, connections[slot] === connection else { return }
        connections.swapAt(slot, connections.count - 1)
        connections[slot].slot = slot
        connections.removeLast()
        if connections.isEmpty { emptied?.succeed() }
    }

    /// Closes idle connections and lets the others finish; done when none is left.
    func drain() -> EventLoopFuture<Void> {
        isDraining = true
        let promise = emptied ?? eventLoop.makePromise(of: Void.self)
        emptied = promise
        if connections.isEmpty { promise.succeed() }
        for connection in connections { connection.drain() }
        return promise.futureResult
    }

    /// Closes every connection at once.
    func closeAll() {
        for connection in connections { connection.cut() }
    }

    func stop() {
        sweeping?.cancel()
        sweeping = nil
    }

    private func sweep() {
        now = eventLoop.now
        refreshDate()
        for connection in connections { connection.check(now) }
    }

    private var dateSecond: Int64 = 0

    private func refreshDate() {
        let second = Int64(time(nil))
        guard second != dateSecond else { return }
        dateSecond = second
        dateLine = Array("Date: \(HTTPDate(seconds: second).text)\r\n".utf8)
    }
}
