#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What a node says about itself: the status API's answer, and what the status page shows.
public struct NodeStatus: Sendable, Codable, Equatable {
    public var version: String
    /// Since the process started, in seconds.
    public var uptimeSeconds: Int
    /// Why the node cannot serve yet, or nil when it can. An upstream that is down is no reason: what is held
    /// is served all the same.
    public var notReadyBecause: String?
    public var store: Store
    public var upstreams: [Upstream]
    /// Registries of which something is held, or that were asked.
    public var registries: [Registry]
    /// Objects being fetched.
    public var inFlight: [InFlight]
    /// The other nodes of the cluster, nearest first; nil = the node has joined none.
    public var peers: [Peer]?
    /// What wants an operator's eye: a mismatch, a disk nearly full, a certificate about to expire.
    public var alarms: [String]

    public struct Store: Sendable, Codable, Equatable {
        /// On disk, in bytes.
        public var bytes: Int64
        /// 0 for no limit.
        public var capacity: Int64
        public var objects: Int
        public var references: Int
        public var evictedObjects: Int
        public var evictedBytes: Int64

        public init(
            bytes: Int64 = 0, capacity: Int64 = 0, objects: Int = 0, references: Int = 0,
            evictedObjects: Int = 0, evictedBytes: Int64 = 0
        ) {
            self.bytes = bytes
            self.capacity = capacity
            self.objects = objects
            self.references = references
            self.evictedObjects = evictedObjects
            self.evictedBytes = evictedBytes
        }
    }

    public struct Upstream: Sendable, Codable, Equatable {
        public var name: String
        public var url: String
        /// Whether requests are let through to it.
        public var isHealthy: Bool
        /// One line for people: the last error, or when it is probed next.
        public var detail: String

        public init(name: String, url: String, isHealthy: Bool, detail: String = "") {
            self.name = name
            self.url = url
            self.isHealthy = isHealthy
            self.detail = detail
        }
    }

    /// What one registry permits, and what is held of it.
    public struct Registry: Sendable, Codable, Equatable {
        public var name: String
        /// Whether anything is asked of it at present.
        public var isAsked: Bool
        /// Manifests that it lets through in its window, and those left, as it said last; nil when it said nothing.
        public var rateLimit: Int?
        public var rateLimitRemaining: Int?
        /// Until manifests are fetched again after it said that there were too many requests.
        public var resumesInSeconds: Int?
        public var held: HeldImages

        public init(
            name: String, isAsked: Bool, rateLimit: Int? = nil, rateLimitRemaining: Int? = nil,
            resumesInSeconds: Int? = nil, held: HeldImages = HeldImages()
        ) {
            self.name = name
            self.isAsked = isAsked
            self.rateLimit = rateLimit
            self.rateLimitRemaining = rateLimitRemaining
            self.resumesInSeconds = resumesInSeconds
            self.held = held
        }
    }

    /// Another node of the cluster.
    public struct Peer: Sendable, Codable, Equatable {
        /// Its public key.
        public var node: String
        public var zone: String
        public var state: String
        public var address: String
        /// Milliseconds, as measured last.
        public var roundTripMilliseconds: Double?
        /// Objects that it says it holds.
        public var objects: Int
        /// Bytes of content that came from it, and that it was given.
        public var receivedBytes: UInt64
        public var sentBytes: UInt64
        /// How often what it sent was not what it should have been, and the last time in words.
        public var lies: UInt64
        public var lastLie: String?
        public var software: String

        public init(
            node: String, zone: String, state: String, address: String, roundTripMilliseconds: Double? = nil,
            objects: Int = 0, receivedBytes: UInt64 = 0, sentBytes: UInt64 = 0, lies: UInt64 = 0,
            lastLie: String? = nil, software: String = ""
        ) {
            self.node = node
            self.zone = zone
            self.state = state
            self.address = address
            self.roundTripMilliseconds = roundTripMilliseconds
            self.objects = objects
            self.receivedBytes = receivedBytes
            self.sentBytes = sentBytes
            self.lies = lies
            self.lastLie = lastLie
            self.software = software
        }
    }

    public struct InFlight: Sendable, Codable, Equatable {
        public var name: String
        public var receivedBytes: Int64
        /// Nil while the length is not known.
        public var totalBytes: Int64?
        public var readers: Int
        /// Whether its name is for those only who may have private content.
        public var isPrivate: Bool

        public init(
            name: String, receivedBytes: Int64, totalBytes: Int64? = nil, readers: Int,
            isPrivate: Bool = false
        ) {
            self.name = name
            self.receivedBytes = receivedBytes
            self.totalBytes = totalBytes
            self.readers = readers
            self.isPrivate = isPrivate
        }
    }

    /// The status as everybody may see it: names of private content are left out.
    var withoutPrivateNames: NodeStatus {
        var status = self
        for index in status.inFlight.indices where status.inFlight[index].isPrivate {
            status.inFlight[index].name = "(private)"
        }
        return status
    }

    public init(
        version: String, uptimeSeconds: Int, notReadyBecause: String? = nil, store: Store = Store(),
        upstreams: [Upstream] = [], registries: [Registry] = [], inFlight: [InFlight] = [],
        alarms: [String] = []
    ) {
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.notReadyBecause = notReadyBecause
        self.store = store
        self.upstreams = upstreams
        self.registries = registries
        self.inFlight = inFlight
        self.alarms = alarms
    }
}

/// Where the status comes from: implemented by whoever knows all parts of the node.
public protocol StatusSource: Sendable {
    func status() async -> NodeStatus
}

/// What was served since the start and from where, read off the metrics.
public struct Traffic: Sendable, Codable, Equatable {
    public var bySource: [Share]
    public var connections: Int
    public var requestsInFlight: Int
    public var unverified: Int
    /// Answers that needed no upstream, of all content answers; nil before the first.
    public var hitRate: Double?
    /// Bytes sent that no upstream had to send for it.
    public var bytesSaved: Int

    public struct Share: Sendable, Codable, Equatable {
        public var source: String
        public var answers: Int
        public var bytes: Int
    }

    init(_ metrics: Metrics) {
        bySource = Response.Source.allCases.map {
            Share(source: $0.label, answers: metrics.hits.value($0), bytes: metrics.bytes.value($0))
        }
        connections = metrics.connections.value
        requestsInFlight = metrics.requestsInFlight.value
        unverified = metrics.unverified.value
        let all = metrics.hits.total
        hitRate = all == 0 ? nil : Double(all - metrics.hits.value(.upstream)) / Double(all)
        bytesSaved = metrics.bytes.total - metrics.bytes.value(.upstream)
    }
}

/// The answer of the status API.
public struct StatusReport: Sendable, Codable, Equatable {
    public var node: NodeStatus
    public var traffic: Traffic

    init(node: NodeStatus, metrics: Metrics) {
        self.node = node
        traffic = Traffic(metrics)
    }

    /// As JSON, keys sorted, so that two reports can be compared by eye.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }
}
