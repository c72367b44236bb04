import Foundation
import Logging
import ProxyFront

/// Writes each audit event as one JSON line into a rotated file, on a thread of its own.
package final class FileAuditLog: AuditLog {
    private let writer: LineWriter

    /// - Parameter limit: how many events wait for the disk at most; more are counted as lost in the file.
    /// - Throws: `RotatingFileError` when the file cannot be opened.
    package init(
        path: String, maximum: Int64, keep: Int, limit: Int = 65_536, logger: Logger
    ) throws(RotatingFileError) {
        let file = try RotatingFile(path: path, maximum: maximum, keep: keep)
        writer = LineWriter(
            name: "audit", limit: limit, gather: .milliseconds(20), sink: AuditSink(file, logger: logger))
    }

    /// The log of a configuration; nil when there is none.
    static func open(
        _ configuration: Configuration, _ folder: DataFolder, logger: Logger
    ) throws(CommandFailure) -> FileAuditLog? {
        guard let path = folder.auditFile(configuration.audit) else { return nil }
        do {
            return try FileAuditLog(
                path: path, maximum: configuration.audit.maxSize, keep: configuration.audit.keep,
                logger: logger)
        } catch {
            throw CommandFailure(.cannotCreate, "audit.file: \(error)")
        }
    }

    package func record(_ event: AuditEvent) { writer.append(Self.line(event, at: Date())) }

    /// Waits until all that was recorded is written. Not for event loops.
    package func flush() { writer.flush() }

    /// Writes what waits; later events are dropped.
    package func close() { writer.close() }

    static func line(_ event: AuditEvent, at time: Date) -> [UInt8] {
        var object = JSONLine()
        object.add("time", Timestamp.text(time))
        object.add("action", event.action.rawValue)
        object.add("subject", event.subject)
        if let client = event.client { object.add("client", client) }
        if let reason = event.reason { object.add("reason", reason) }
        if let origin = event.origin { object.add("origin", origin) }
        if let digest = event.digest { object.add("digest", digest) }
        return object.line()
    }
}

private final class AuditSink: LineSink, @unchecked Sendable {
    // Sendable: the file is touched by `write` only, which the line writer calls on its one thread.
    private var file: RotatingFile
    private let logger: Logger
    private var isFailing = false

    init(_ file: consuming RotatingFile, logger: Logger) {
        self.file = file
        self.logger = logger
    }

    func write(_ lines: [UInt8], lost: Int) {
        do {
            try file.append(lines)
            if lost > 0 {
                var note = JSONLine()
                note.add("time", Timestamp.text(Date()))
                note.add("action", "lost")
                note.add("count", Int64(lost))
                try file.append(note.line())
            }
            if isFailing { logger.notice("the audit log is written again") }
            isFailing = false
        } catch {
            // One line for a full disk, not one for each event.
            if !isFailing {
                logger.error(
                    "the audit log cannot be written; events are lost", metadata: ["reason": "\(error)"])
            }
            isFailing = true
        }
    }
}
