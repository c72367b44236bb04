import Logging
import ProxyFront

/// Writes finished requests to the log.
struct AccessLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func write(_ record: AccessRecord) {
        logger.info(
            "request",
            metadata: [
                "id": "\(record.id)", "client": "\(record.client?.ipAddress ?? "unknown")",
                "request": "\(record.method.name) \(record.target)", "status": "\(record.status)",
                "bytes": "\(record.bytes)", "took": "\(record.duration)",
                "from": "\(record.servedFrom?.label ?? "none")", "outcome": "\(record.outcome.rawValue)",
                "agent": "\(record.userAgent ?? "")",
            ])
    }
}
