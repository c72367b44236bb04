import Foundation
import Synchronization

/// What the commands write: results to standard output, everything else to standard error.
enum Terminal {
    static func show(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }
    /// Asks for something; what follows stands on the same line.
    static func prompt(_ text: String) { write(text, to: STDERR_FILENO) }
    static func complain(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    fileprivate static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The line that shows how far long work is: redrawn in place on a terminal, else written now and then.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex((shown: "", at: ContinuousClock.Instant?.none))

    func show(_ text: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
            if let last = state.at, now - last < pause { return }
            // Work that is over at once needs no line in a log.
            if state.at != nil || isTerminal {
                Terminal.write(isTerminal ? "\r\u{1b}[K\(text)" : "\(text)\n", to: STDERR_FILENO)
            }
            state = (text, now)
        }
    }

    /// Clears the line, so that the result stands alone.
    func end() {
        state.withLock { state in
            if isTerminal, !state.shown.isEmpty { Terminal.write("\r\u{1b}[K", to: STDERR_FILENO) }
            state.shown = ""
        }
    }

    /// A line that stays, above the moving one.
    func complain(_ line: String) {
        end()
        Terminal.complain(line)
    }
}
