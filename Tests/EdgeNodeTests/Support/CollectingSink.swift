import EdgeNode
import Foundation

/// Keeps what a `LineWriter` writes; can be held, so that its writer waits.
final class CollectingSink: LineSink, @unchecked Sendable {
    // Sendable: every field is touched with the condition's lock held.
    private let condition = NSCondition()
    private var isHeld: Bool
    private var isWriting = false
    private var written: [UInt8] = []
    private var lostLines = 0

    init(held: Bool = false) { isHeld = held }

    func write(_ lines: [UInt8], lost: Int) {
        condition.lock()
        defer { condition.unlock() }
        isWriting = true
        condition.broadcast()
        while isHeld { condition.wait() }
        written += lines
        lostLines += lost
    }

    /// Waits until the writer is inside `write`.
    func waitUntilWriting() {
        condition.lock()
        defer { condition.unlock() }
        while !isWriting { condition.wait() }
    }

    func release() {
        condition.lock()
        defer { condition.unlock() }
        isHeld = false
        condition.broadcast()
    }

    var text: String {
        condition.lock()
        defer { condition.unlock() }
        return String(decoding: written, as: UTF8.self)
    }

    var lost: Int {
        condition.lock()
        defer { condition.unlock() }
        return lostLines
    }
}
