import Synchronization

/// Where a registry sent for a blob: asked directly while the address is good, so that a resumed or ranged read
/// does not cost the registry a request each.
package final class RedirectTargets: Sendable {
    struct Key: Hashable, Sendable {
        let repository: RepositoryName
        let digest: String
        let login: LoginKey
    }

    struct Target: Sendable, Equatable {
        let url: UpstreamURL
        let from: UpstreamOrigin
        /// Whether a login led there.
        let isPrivate: Bool
    }

    /// The longest that an address is used; signed ones are usually good for 10 to 20 minutes.
    static let longest = Duration.seconds(240)

    private let targets = Mutex(ExpiringCache<Key, Target>(limit: 4096))

    func target(_ key: Key) -> Target? { targets.withLock { $0.value(for: key, now: .now) } }

    func remember(_ target: Target, for key: Key) {
        let span = Self.validity(of: target.url)
        guard span > .zero else { return }
        targets.withLock { $0.set(target, for: key, until: .now + span) }
    }

    func drop(_ key: Key) { targets.withLock { $0.remove(key) } }

    /// What S3's signatures say of themselves, less a tenth; else the longest (AWS Signature Version 4,
    /// "X-Amz-Expires").
    package static func validity(of url: UpstreamURL) -> Duration {
        for field in (url.query ?? "").split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, ["x-amz-expires", "x-goog-expires"].contains(parts[0].lowercased()),
                let seconds = Int64(parts[1])
            else { continue }
            return min(longest, .seconds(max(0, min(seconds, 86_400))) * 0.9)
        }
        return longest
    }
}
