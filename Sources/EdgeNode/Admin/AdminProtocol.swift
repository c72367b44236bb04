import Foundation

/// What the commands and a running node say to each other: POST with a JSON body, answered with one JSON
/// line, or for long work with lines of progress before the last one.
enum AdminProtocol {
    static let prefix = "/api/v1/admin/"
    static let contentType = "application/jsonl"

    struct PatternRequest: Codable, Sendable {
        var pattern: String
    }

    /// One line of an answer; exactly one field is set.
    struct Line: Codable, Sendable {
        var progress: WorkProgress?
        var verified: VerifySummary?
        var collected: CollectSummary?
        var pins: [String]?
        /// Whether anything was changed.
        var changed: Bool?
        var error: String?
    }

    static func encode(_ line: Line) throws -> [UInt8] {
        Array(try JSONEncoder().encode(line)) + [UInt8(ascii: "\n")]
    }
}
