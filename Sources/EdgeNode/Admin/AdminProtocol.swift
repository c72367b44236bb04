import Foundation

/// What the commands and a running node say to each other: POST with a JSON body, answered with one JSON
/// line, or for long work with lines of progress before the last one.
enum AdminProtocol {
    static let prefix = "/api/v1/admin/"
    static let contentType = "application/jsonl"

    /// The longest request, in bytes: an export may name every module of a large go.sum.
    static let requestLimit: Int64 = 16 << 20

    struct PatternRequest: Codable, Sendable {
        var pattern: String
    }

    /// One line of an answer; exactly one field is set.
    struct Line: Codable, Sendable {
        var progress: WorkProgress?
        var verified: VerifySummary?
        var collected: CollectSummary?
        var imported: ImportSummary?
        var exportPlan: ExportSummary?
        var pins: [String]?
        var cluster: ClusterLine?
        var trials: [TrialLine]?
        /// Whether anything was changed.
        var changed: Bool?
        var error: String?
    }

    static func encode(_ line: Line) throws -> [UInt8] {
        Array(try JSONEncoder().encode(line)) + [UInt8(ascii: "\n")]
    }
}
