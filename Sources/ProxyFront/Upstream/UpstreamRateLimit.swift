/// What an upstream says of how much it will still give (Docker Hub's `ratelimit-limit: 100;w=21600` and
/// `ratelimit-remaining: 76;w=21600`).
public struct UpstreamRateLimit: Sendable, Equatable {
    /// Requests in each window; nil when not told.
    public var limit: Int?
    /// Requests left in the present window; nil when not told.
    public var remaining: Int?
    /// In seconds.
    public var window: Int?

    /// Nil when neither header says a number.
    init?(limit: String?, remaining: String?) {
        let (most, left) = (Self.parse(limit), Self.parse(remaining))
        guard most.count != nil || left.count != nil else { return nil }
        self.limit = most.count
        self.remaining = left.count
        window = most.window ?? left.window
    }

    private static func parse(_ text: String?) -> (count: Int?, window: Int?) {
        guard let text, text.utf8.count <= 200 else { return (nil, nil) }
        // Several windows may be listed; the first is the one that counts requests.
        let parts = text.prefix { $0 != "," }.split(separator: ";").map { $0.filter { $0 != " " } }
        let window = parts.dropFirst().first { $0.hasPrefix("w=") }.flatMap { Int($0.dropFirst(2)) }
        return (parts.first.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }, window)
    }
}
