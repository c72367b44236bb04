import DequeModule
import NIOCore
import Synchronization

/// Passes a body on that cannot be stored: a window in memory, read by everybody who was there when it
/// began, at the pace of the slowest (architecture section 4: a full disk degrades to pass-through).
///
/// Bytes before `base` are in the ingest's file; a reader that has not come so far counts as standing at
/// `base` and keeps the window from moving.
final class Relay: Sendable {
    struct Gone: Error {}

    private struct State {
        /// The offset of the first byte in `parts`.
        var start: Int64
        var parts: Deque<ByteBuffer> = []
        /// Where the bytes received so far end.
        var front: Int64
        var readers: [UInt64: Int64]
        var end: Result<Void, DeliveryFailure>?
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var producer: CheckedContinuation<Void, Never>?
    }

    /// Bytes in memory at most, one part more at times.
    static let window: Int64 = 1 << 20

    let base: Int64
    private let state: Mutex<State>

    /// - Parameter readers: who reads, and how far each has come.
    init(base: Int64, readers: [UInt64: Int64]) {
        self.base = base
        state = Mutex(State(start: base, front: base, readers: readers))
    }

    /// A reader that comes later; false when the bytes it needs have gone by.
    func join(_ reader: UInt64, at offset: Int64) -> Bool {
        state.withLock { state in
            guard state.start == base || offset >= state.start else { return false }
            state.readers[reader] = offset
            return true
        }
    }

    func leave(_ reader: UInt64) {
        state.withLock { state in
            state.readers[reader] = nil
            state.waiting.removeValue(forKey: reader)?.resume()
            trim(&state)
        }
    }

    /// Hands a part to the readers and waits until the window has room.
    /// - Throws: `DeliveryFailure.cancelled` when nobody reads any more.
    func push(_ part: ByteBuffer) async throws {
        state.withLock { state in
            state.parts.append(part)
            state.front += Int64(part.readableBytes)
            wakeReaders(&state)
            trim(&state)
        }
        while true {
            let (mustWait, abandoned) = state.withLock { (isFull($0), $0.readers.isEmpty) }
            if abandoned { throw DeliveryFailure.cancelled }
            guard mustWait else { return }
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard isFull(state), !state.readers.isEmpty else { return false }
                    state.producer = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        }
    }

    /// The body is proven, or failed: readers may have all that is there, or learn why not.
    func finish(_ result: Result<Void, DeliveryFailure>) {
        state.withLock { state in
            guard state.end == nil else { return }
            state.end = result
            wakeReaders(&state)
        }
    }

    /// The next bytes from `offset` on, as far as `holdback` lets them go before the end is proven; nil at
    /// the end of the body.
    func next(_ reader: UInt64, from offset: Int64, holdback: Holdback) async throws -> ByteBuffer? {
        while true {
            let step: Result<ByteBuffer?, any Error>? = state.withLock { state in
                guard state.readers[reader] != nil, offset >= state.start else { return .failure(Gone()) }
                state.readers[reader] = offset
                trim(&state)
                if case .failure(let failure) = state.end { return .failure(failure) }
                let limit = state.end == nil ? holdback.limit(front: state.front) : state.front
                if let bytes = Self.slice(state, from: offset, to: min(limit, state.front)) {
                    return .success(bytes)
                }
                return state.end == nil ? nil : .success(nil)
            }
            if let step { return try step.get() }
            try Task.checkCancellation()
            await waitForMore(reader)
        }
    }

    private func waitForMore(_ reader: UInt64) async {
        let seen = state.withLock { $0.front }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard state.end == nil, state.front == seen, state.readers[reader] != nil,
                        !Task.isCancelled
                    else { return false }
                    state.waiting[reader] = continuation
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: reader) }?.resume()
        }
    }

    private static func slice(_ state: State, from offset: Int64, to limit: Int64) -> ByteBuffer? {
        guard offset < limit else { return nil }
        var start = state.start
        for part in state.parts {
            let end = start + Int64(part.readableBytes)
            if offset < end {
                let skip = Int(offset - start)
                let count = Int(min(end, limit) - offset)
                return part.getSlice(at: part.readerIndex + skip, length: count)
            }
            start = end
        }
        return nil
    }

    /// Drops the parts that every reader has behind it.
    private func trim(_ state: inout State) {
        let slowest = state.readers.values.min().map { max($0, base) } ?? state.front
        while let first = state.parts.first, state.start + Int64(first.readableBytes) <= slowest {
            state.start += Int64(first.readableBytes)
            state.parts.removeFirst()
        }
        if let producer = state.producer, !isFull(state) || state.readers.isEmpty {
            state.producer = nil
            producer.resume()
        }
    }

    private func isFull(_ state: State) -> Bool { state.front - state.start >= Self.window }

    private func wakeReaders(_ state: inout State) {
        let waiting = state.waiting.values
        state.waiting = [:]
        for reader in waiting { reader.resume() }
    }
}
