import Content

/// What pinned names keep besides the blobs that they point at: everything that a pinned image lists, say. Asked
/// before something is thrown out, with every pinned reference.
public typealias PinReach = @Sendable (_ pinned: [Reference]) async -> Set<Digest>

/// The pins, as whoever is about to throw something out sees them.
struct PinnedContent: Sendable {
    let patterns: [NamePattern]
    /// Within the reach of pinned names.
    let reached: Set<Digest>

    static let nothing = PinnedContent(patterns: [], reached: [])
}

extension StoreParts {
    /// The pins with their reach. What was worked out last is taken when no pin came or went since.
    func pinnedContent(since last: PinnedContent? = nil) async throws -> PinnedContent {
        let patterns = try await readers.read { try $0.pinPatterns() }
        if let last, last.patterns == patterns { return last }
        guard !patterns.isEmpty, let reach = pinReach.withLock({ $0 }) else {
            return PinnedContent(patterns: patterns, reached: [])
        }
        let pinned = try await readers.read { connection in
            var pinned: [ReferenceName: Reference] = [:]
            for pattern in patterns {
                for reference in try connection.references(prefix: pattern.prefix)
                where pattern.matches(reference.name.text) {
                    pinned[reference.name] = reference
                }
            }
            return pinned.values.sorted { $0.name.text < $1.name.text }
        }
        return PinnedContent(patterns: patterns, reached: await reach(pinned))
    }
}

extension NamePattern {
    /// What every name that matches begins with.
    fileprivate var prefix: String { String(text.prefix { $0 != "*" && $0 != "?" }) }
}
