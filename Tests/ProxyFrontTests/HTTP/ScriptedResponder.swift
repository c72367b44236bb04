import Content
import Foundation
import NIOCore
import ProxyFront
import Synchronization

/// Answers by path, for tests of the server.
struct ScriptedResponder: Responder {
    var answers: [String: Answer] = [:]
    var fallback: @Sendable (Request) -> Answer = { request in
        .now(
            Response(
                status: .ok, headers: ["X-Method": request.method.name],
                body: .array(Array(request.target.utf8))))
    }

    func respond(to request: Request) -> Answer { answers[request.target] ?? fallback(request) }

    /// Echoes the request's body.
    static let echo = ScriptedResponder { request in
        .now(Response(status: .ok, body: request.body.map(Response.Body.bytes) ?? .none))
    }

    init(_ answers: [String: Answer]) { self.answers = answers }

    init(_ fallback: @escaping @Sendable (Request) -> Answer) { self.fallback = fallback }
}

/// Gives parts that are put in from outside, one at a time; records what it was asked.
final class PushedBody: BodyProducer {
    private enum Step {
        case part(BodyPart)
        case end, failure
    }
    private struct State {
        var steps: [Step] = []
        var waiter: CheckedContinuation<Void, Never>?
        var asked = 0
        var cancellations = 0
        var isDone = false
        var watchers: [(condition: @Sendable (Int, Int) -> Bool, CheckedContinuation<Void, Never>)] = []
    }
    struct Failure: Error {}

    private let state = Mutex(State())

    func push(_ text: String) { put(.part(.bytes(ByteBuffer(string: text)))) }
    func push(_ part: BodyPart) { put(.part(part)) }
    func end() { put(.end) }
    func fail() { put(.failure) }

    var asked: Int { state.withLock(\.asked) }
    var cancellations: Int { state.withLock(\.cancellations) }

    /// Waits until the producer was cancelled.
    func untilCancelled() async { await until { _, cancellations in cancellations > 0 } }

    /// Waits until a part was asked for this many times.
    func untilAsked(_ times: Int) async { await until { asked, _ in asked >= times } }

    private func until(_ condition: @escaping @Sendable (Int, Int) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMet = state.withLock { state in
                if condition(state.asked, state.cancellations) { return true }
                state.watchers.append((condition, continuation))
                return false
            }
            if isMet { continuation.resume() }
        }
    }

    private func put(_ step: Step) {
        let waiter = state.withLock { state in
            state.steps.append(step)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private func note(_ change: (inout State) -> Void) {
        let met = state.withLock { state in
            change(&state)
            let met = state.watchers.filter { $0.condition(state.asked, state.cancellations) }
            state.watchers.removeAll { $0.condition(state.asked, state.cancellations) }
            return met
        }
        for (_, continuation) in met { continuation.resume() }
    }

    func next() async throws -> BodyPart? {
        note { $0.asked += 1 }
        while true {
            let step = state.withLock { $0.steps.isEmpty ? nil : $0.steps.removeFirst() }
            switch step {
            case .part(let part): return part
            case .end: return nil
            case .failure: throw Failure()
            case nil: break
            }
            if Task.isCancelled { throw CancellationError() }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        if !state.steps.isEmpty || state.isDone { return true }
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                wake()
            }
        }
    }

    private func wake() {
        let waiter = state.withLock { state in
            state.isDone = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func cancelled() {
        note { $0.cancellations += 1 }
        wake()
    }
}

/// A file that is gone when its last holder is.
enum TestFile {
    /// Holding the bytes of `make`, by offset.
    static func open(_ bytes: [UInt8]) throws -> OpenFile {
        let file = try create()
        try bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = pwrite(
                    file.descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(written))
                guard count > 0 else { throw POSIXError(.EIO) }
                written += count
            }
        }
        return file
    }

    /// Of `size` bytes that were never written.
    static func sparse(_ size: Int64) throws -> OpenFile {
        let file = try create()
        guard ftruncate(file.descriptor, off_t(size)) == 0 else { throw POSIXError(.EIO) }
        return file
    }

    private static func create() throws -> OpenFile {
        var path = Array((NSTemporaryDirectory() + "edgenode-front-XXXXXX").utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        unlink(path)
        return OpenFile(owning: descriptor)
    }

    /// Bytes that differ from place to place, so that a misplaced range shows; at most 5,000,000.
    static func pattern(_ count: Int) -> [UInt8] { Array(longPattern[..<count]) }

    private static let longPattern: [UInt8] = {
        var state: UInt32 = 1
        return (0..<5_000_000).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }()
}
