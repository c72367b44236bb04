import Glibc

/// Writes log lines to standard error, many with one call.
struct StandardErrorSink: LineSink {
    /// Makes the line that tells of dropped ones.
    let lostLine: @Sendable (Int) -> [UInt8]

    func write(_ lines: [UInt8], lost: Int) {
        var rest = (lost > 0 ? lines + lostLine(lost) : lines)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // With nobody left to read the log there is nobody to tell.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
