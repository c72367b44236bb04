import ChunkStore
import Content
import PeerExchange

/// The other nodes, as Delivery and the endpoints ask them. `NetworkReach` is the real one.
///
/// Nothing that comes from here is believed before it is proven like anything else.
package protocol PeerReach: Sendable {
    /// A small immutable thing, whole; nil when nobody known to hold it gave it. No network at all when nobody is
    /// known to hold it.
    func whole(_ ask: ContentAsk, limit: Int) async -> PeerFile?

    /// Where a body is best fetched from; called before upstream is asked.
    func choose(_ ask: ContentAsk, size: Int64?) async -> PeerChoice

    /// What other nodes' upstreams said of a mutable name, if that is to be believed by the rules for statements;
    /// called only when one's own upstream is away.
    func settled(_ name: ReferenceName) async -> PeerStatement?

    /// A peer gave something that is not what it should be.
    func lied(_ peer: PeerName, what: String) async
}

/// A peer as logs and references name it.
package struct PeerName: Hashable, Sendable, CustomStringConvertible {
    /// What begins the origin of everything that came by a peer: such references are nobody's own last answer.
    package static let originPrefix = "peer "

    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { Self.originPrefix + text }
}

/// A small thing that a peer gave, unproven.
package struct PeerFile: Sendable {
    package let bytes: [UInt8]
    package let facts: ContentFacts
    package let peer: PeerName

    package init(bytes: [UInt8], facts: ContentFacts, peer: PeerName) {
        self.bytes = bytes
        self.facts = facts
        self.peer = peer
    }
}

package enum PeerChoice: Sendable {
    case peers(any PeerBody)
    /// Upstream; `lease` is held for as long as the fetch lasts, so that others wait for this node.
    case upstream(lease: (any PeerLease)?)
}

/// This node fetches something for all until it is let go.
package protocol PeerLease: Sendable {
    /// Another node was granted it meanwhile.
    var isLost: Bool { get }
}

extension UpstreamLease: PeerLease {}

/// A body that peers hold, whole or in flight.
package protocol PeerBody: Sendable {
    /// What is said of it; its digest is nil while a module zip is in flight.
    var facts: ContentFacts { get }
    /// Who vouches for its pieces.
    var peer: PeerName { get }

    /// Writes what is lacking into `ingest`, at any offset, each piece checked against the signed list.
    ///
    /// Returns when every byte is there. Throws when peers can give no more, are too slow, or the task was
    /// cancelled: the bytes that came stay.
    /// - Parameter reading: the lowest offset that a reader waits at.
    func run(into ingest: Ingest, reading: @escaping @Sendable () -> Int64) async throws
}

/// What the rules made of the statements about a mutable name.
package struct PeerStatement: Sendable {
    /// As the signer's own upstream said it; `checked` says when.
    package let reference: Reference
    /// Who said so, for people.
    package let signers: [PeerName]

    package init(_ reference: Reference, signers: [PeerName]) {
        self.reference = reference
        self.signers = signers
    }
}
