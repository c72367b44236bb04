package import ChunkStore
package import Content

/// What this node can give to its peers: content that is held, and content that is on its way in.
package protocol LocalContent: Sendable {
    /// Looks content up for a peer, by the rules of access.
    func find(_ ask: ContentAsk, for peer: PeerIdentity) async -> FindResult

    /// What this node's own upstream said last of a name that may change; never what peers said.
    func statement(for name: ReferenceName, for peer: PeerIdentity) async -> Reference?

    /// How a held blob is put together, its chunks named by their hashes; nil when it is not folded, or not for
    /// this peer.
    func recipe(of digest: Digest, ask: ContentAsk, for peer: PeerIdentity) async -> Recipe?

    /// Chunks of a held blob, each nil that is not part of it.
    func chunks(
        _ ids: [ChunkID], of digest: Digest, ask: ContentAsk, for peer: PeerIdentity
    ) async -> [[UInt8]?]
}

package enum FindResult: Sendable {
    case notHeld
    /// It is held and not for this peer.
    case denied(reason: String)
    case held(any LocalBody)
}

/// What identifies the bytes that a transfer draws from.
package enum TransferKey: Hashable, Sendable {
    case digest(Digest)
    /// Bytes in flight whose digest is not known yet: a random id of the flight, 16 bytes.
    case flight([UInt8])
}

/// One body that a peer may have, held or in flight. Releasing it gives its place among the flight's readers back.
package protocol LocalBody: Sendable {
    var facts: ContentFacts { get }
    var transfer: TransferKey { get }
    /// Every byte is there.
    var isComplete: Bool { get }
    /// More of it comes from upstream.
    var isFed: Bool { get }
    /// Which bytes are there, in order.
    var present: [Range<Int64>] { get }
    /// The bytes of a range that is there.
    func read(_ range: Range<Int64>) async throws -> [UInt8]
    /// Waits until more than `count` bytes are there, or nothing more will come, or `patience` is over.
    func waitForMore(than count: Int64, within patience: Duration) async
}
