import Foundation
import Logging
import Synchronization

/// Where every logger of the process writes, and how much.
package final class LogOutput: Sendable {
    private let writer: LineWriter
    private let format: LogFormat
    private let least: Mutex<Logger.Level>
    private let remembered = Mutex<[String]>([])
    /// How many alarms are remembered, the newest ones.
    private static let alarmLimit = 20

    package init(format: LogFormat, level: Logger.Level, sink: any LineSink) {
        self.format = format
        least = Mutex(level)
        writer = LineWriter(name: "log", sink: sink)
    }

    /// The output that the configuration asks for: standard error, in the journal's own form when it reads it.
    package convenience init(_ settings: LogSettings, environment: [String: String]) {
        let style: LogFormat.Style =
            switch settings.format {
            case .json: .json
            case .human: environment["JOURNAL_STREAM"] == nil ? .human : .journal
            }
        let format = LogFormat(style)
        self.init(
            format: format, level: settings.level.loggerLevel,
            sink: StandardErrorSink { lost in
                format.line(
                    time: Date(), level: .warning, label: "log", message: "log lines were dropped",
                    metadata: [("count", "\(lost)")])
            })
    }

    /// The least important level that is written; may change while the node runs.
    package var level: Logger.Level {
        get { least.withLock { $0 } }
        set { least.withLock { $0 = newValue } }
    }

    package func logger(_ label: String) -> Logger {
        Logger(label: label) { NodeLogHandler(label: $0, output: self) }
    }

    fileprivate func write(_ event: LogEvent, label: String, metadata: Logger.Metadata) {
        if event.level == .critical {
            let alarm = "\(Timestamp.text(Date())) \(event.message)"
            remembered.withLock { $0 = $0.suffix(Self.alarmLimit - 1) + [alarm] }
        }
        let fields = metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        writer.append(
            format.line(
                time: Date(), level: event.level, label: label, message: "\(event.message)", metadata: fields)
        )
    }

    /// The newest critical messages since the start: what an operator must not miss.
    package var alarms: [String] { remembered.withLock { $0 } }

    /// Waits until all that was logged is written. Not for event loops.
    package func flush() { writer.flush() }
}

/// Hands each event to the node's one `LogOutput`.
package struct NodeLogHandler: LogHandler {
    let label: String
    let output: LogOutput
    private var own: Logger.Level?
    package var metadata: Logger.Metadata = [:]

    init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    /// The output's level, unless this logger was given one of its own.
    package var logLevel: Logger.Level {
        get { own ?? output.level }
        set { own = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { $1 } }
        output.write(event, label: label, metadata: fields)
    }
}

extension LogSettings.Level {
    package var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
