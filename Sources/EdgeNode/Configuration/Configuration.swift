import Gossip
import ProxyFront

/// Everything that a node can be told, parsed and checked; what a part needs is taken from here by the wiring.
///
/// The defaults are those of `cluster.example.toml`, which describes each key.
package struct Configuration: Sendable, Equatable {
    package var node: NodeSettings
    package var tls: TLSSettings?
    package var limits = LimitSettings()
    package var store = StoreSettings()
    package var upstream = UpstreamSettings()
    package var go = GoSettings()
    package var sumdbs = [SumDBSettings.public]
    package var registry = RegistrySettings()
    package var cluster = ClusterSettings()
    package var access = AccessSection()
    package var policy: [PolicyEntry] = []
    package var `import` = ImportSettings()
    package var log = LogSettings()
    package var audit = AuditSettings()
    package var metrics = MetricsSettings()
}

package struct NodeSettings: Sendable, Equatable {
    /// Where everything is kept; an absolute path.
    package var dataDirectory: String
    /// Never empty.
    package var listen = [ListenAddress.standard]
}

package struct LimitSettings: Sendable, Equatable {
    package var connections = 4096
    package var connectionsPerAddress = 512
    package var headerSize: Int64 = 32 << 10
    package var requestSize: Int64 = 64 << 10
    package var headerTimeout = Duration.seconds(20)
    package var idleTimeout = Duration.seconds(75)
    package var stallTimeout = Duration.seconds(60)
    package var shutdownGrace = Duration.seconds(30)
}

package struct StoreSettings: Sendable, Equatable {
    /// In bytes; 0 = no cap but the disk's.
    package var capacity: Int64 = 0
    package var highWater = 0.95
    package var lowWater = 0.85
    package var reservedFree: Int64 = 1 << 30
    package var smallObjectLimit: Int64 = 64 << 10
    package var foldAfter = Duration.seconds(14 * 86_400)
    package var maxUnused: [AgeLimit] = []
    /// Bytes a second; 0 = no background scrub.
    package var scrubRate: Int64 = 2 << 20

    /// References whose name matches `pattern` and that nobody asked for in `age` are dropped.
    package struct AgeLimit: Sendable, Equatable {
        package var pattern: String
        package var age: Duration
    }
}

package struct UpstreamSettings: Sendable, Equatable {
    package var proxy: String?
    /// Hosts and patterns of hosts that are reached without the proxy.
    package var noProxy: [String] = []
    package var proxyUser: String?
    package var proxyPasswordFile: String?
    package var netrcFile: String?
    /// PEM files of authorities that are trusted besides the system's.
    package var caFiles: [String] = []
    package var redirectHosts: [String] = []
    package var onlyRedirectHosts = false
    package var connectTimeout = Duration.seconds(5)
    package var firstByteTimeout = Duration.seconds(60)
    package var stallTimeout = Duration.seconds(30)
}

package struct GoSettings: Sendable, Equatable {
    package var upstreams = UpstreamList([.init(Upstream(base: .goProxy))])
    package var hosts: [UpstreamHostSettings] = []
    package var `private` = ModulePatterns()
    package var access = AccessPatterns()
    package var freshFor = Duration.seconds(60)
    package var missFor = Duration.seconds(60)
    package var fillLimit: Int64 = 64 << 20
    package var sumDBWait = Duration.seconds(2)
}

/// The credentials of one upstream.
package struct UpstreamHostSettings: Sendable, Equatable {
    /// Where they are sent, and nowhere else.
    package var origin: UpstreamOrigin
    package var user: String?
    package var passwordFile: String?
    package var tokenFile: String?
}

extension UpstreamURL {
    /// The public module proxy of the Go project.
    static let goProxy = UpstreamOrigin(scheme: .https, host: "proxy.golang.org").url
}

package struct SumDBSettings: Sendable, Equatable {
    package var name: String
    /// The verifier key, `name+hash+base64`.
    package var key: String
    /// The base URL that `/lookup/...` and `/tile/...` are appended to.
    package var url: UpstreamURL
    /// Modules that this database answers for.
    package var patterns: ModulePatterns

    /// The public checksum database of the Go project.
    package static let `public` = SumDBSettings(
        name: "sum.golang.org",
        key: "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        url: UpstreamOrigin(scheme: .https, host: "sum.golang.org").url,
        patterns: ModulePatterns(commaSeparated: "*"))
}

package struct ImportSettings: Sendable, Equatable {
    /// Nodes whose bundles are believed, besides this one.
    package var trustedKeys: [NodeID] = []
}

package struct LogSettings: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable { case human, json }
    package enum Level: String, Sendable, CaseIterable { case debug, info, notice, warning, error }

    package var format = Format.human
    package var level = Level.info
    /// Whether each finished request is a line.
    package var requests = false
}

package struct AuditSettings: Sendable, Equatable {
    /// Absolute, or relative to the data folder; nil = no audit log.
    package var file: String? = "audit.log"
    package var maxSize: Int64 = 64 << 20
    /// How many rotated files are kept beside the one being written.
    package var keep = 8
}

package struct MetricsSettings: Sendable, Equatable {
    package var enabled = true
}

extension UpstreamOrigin {
    /// The URL of the origin's top.
    var url: UpstreamURL { UpstreamURL(origin: self) }
}
