public import ChunkStore
public import Content

/// A body that somebody wants: what it is called, where it can come from and what proves it.
public struct BodyOrder: Sendable {
    /// Under this name the body is looked up, fetched once for everybody, and stored.
    public var name: ReferenceName
    /// The digest, when the name is one.
    public var expected: Digest?
    /// The longest body taken, in bytes.
    public var limit: Int64
    /// How long it is, where something trusted says so beforehand: an upstream that announces less has not got it
    /// whole, and is as good as one that breaks off.
    public var size: Int64?
    public var contentType: String?
    /// The class that the body has whatever upstream asked for; nil = private if a credential was sent.
    public var access: AccessClass?
    /// How it is asked for of other nodes; nil = it is not.
    var peers: PeerOrder?
    /// Orders of one key share a transfer.
    var key: FlightKey
    var sources: [Fallback<any BodySource>]
    /// Only others' word says that the name stands for it: one's own upstream's, should it come meanwhile, stays.
    var isTold = false
    /// Makes the proof of one attempt, and starts what can run beside the transfer.
    var proof: @Sendable () -> any BodyProof
    /// Called once the body is in the store.
    var stored: @Sendable (Reference) -> Void

    init(
        name: ReferenceName, expected: Digest? = nil, limit: Int64, size: Int64? = nil,
        contentType: String? = nil,
        access: AccessClass? = nil, peers: PeerOrder? = nil, key: FlightKey? = nil,
        sources: [Fallback<any BodySource>],
        proof: @escaping @Sendable () -> any BodyProof,
        stored: @escaping @Sendable (Reference) -> Void = { _ in }
    ) {
        self.name = name
        self.expected = expected
        self.limit = limit
        self.size = size
        self.contentType = contentType
        self.access = access
        self.peers = peers
        self.key = key ?? FlightKey(.name(name))
        self.sources = sources
        self.proof = proof
        self.stored = stored
    }
}

/// What a reader is told before the first byte.
struct BodyHead: Sendable, Equatable {
    /// Bytes of the whole body, when upstream announced them.
    let total: Int64?
    let source: String
    let validator: String?
    /// A credential was sent for it, or its name is private.
    let isPrivate: Bool
    /// Whether it comes from another node.
    var isFromPeers = false

    /// Where the bytes of an answer came from.
    func servedFrom(joined: Bool) -> Response.Source {
        joined ? .inFlight : isFromPeers ? .peer : .upstream
    }
}
