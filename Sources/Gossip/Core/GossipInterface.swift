public import struct FoundationEssentials.Date

/// Why an exchange over TCP brought nothing.
public struct ExchangeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { reason }
}

/// What the way to other nodes over TCP gives gossip. Exchange between peers implements it.
public protocol ExchangeTransport: Sendable {
    /// Sends `bytes` to the node at `endpoint` and waits for its answer.
    /// - Parameter expecting: who must answer there; nil = any member.
    /// - Returns: who answered, proven by the handshake, and what.
    func exchange(
        _ bytes: [UInt8], with endpoint: Endpoint, expecting: NodeID?
    ) async throws(ExchangeFailure) -> (NodeID, [UInt8])
}

/// What the data path noticed of a peer.
public enum PeerObservation: Hashable, Sendable {
    case roundTrip(Duration)
    /// Bytes a second.
    case throughput(Double)
    /// It did not answer, or broke off: others are asked before it for a while.
    case failed
    /// It sent what it should not have.
    case lied
}

/// How large a datagram is tried.
public enum TrialSize: Hashable, Sendable {
    case usual
    /// 1,232 bytes, as no link of the Internet may be too narrow for with IPv6.
    case largest
}

public enum GossipInput: Sendable {
    /// The time of `nextWake` has come.
    case wake
    case datagram([UInt8], from: Endpoint)
    /// What this node holds, or holds no more.
    case inventory(add: [InventoryID], remove: [InventoryID])
    /// Another member asks over TCP; it has proven who it is.
    case exchangeRequest([UInt8], from: NodeID, token: UInt64)
    case exchangeAnswer(token: UInt64, Result<(NodeID, [UInt8]), ExchangeFailure>)
    /// Who holds it, who fetches it, and may I? `doubting`: the member that was said to fetch it, when nothing could be
    /// had from it: the owner looks whether it still lives.
    case ask(InventoryID, wantsLease: Bool, doubting: NodeID? = nil, token: UInt64)
    /// This node ends fetching from upstream: its lease is given back.
    case release(InventoryID)
    case observed(NodeID, PeerObservation)
    case revocations(RevocationList)
    /// Do datagrams get to a member and back? Answered by `tried` within 1.5 s.
    case trial(NodeID, TrialSize, token: UInt64)
    /// Says goodbye; nothing more is sent after the next gossip.
    case leave
}

public enum GossipEffect: Sendable {
    case send([UInt8], to: Endpoint)
    case exchange(token: UInt64, with: Endpoint, expecting: NodeID?, [UInt8])
    case reply(token: UInt64, [UInt8])
    case answer(token: UInt64, OwnerAnswer)
    /// Until the answer to the first of several pings; nil = none came.
    case tried(token: UInt64, Duration?)
    case event(GossipEvent)
    /// What has to be on disk soon; each takes the place of the one before.
    case persist([UInt8])
}

/// Something that an operator or another part may want to know.
public enum GossipEvent: Hashable, Sendable, CustomStringConvertible {
    case joined(NodeID)
    case suspected(NodeID)
    case died(NodeID)
    case returned(NodeID)
    case left(NodeID)
    /// It showed itself and was not taken for a member.
    case refused(NodeID, TrustRefusal)
    /// A member whose certificate is over, or will be within 30 days.
    case expires(NodeID, Date)
    case alarm(String)
    case seedFailed(Endpoint, String)
    case inventoryChanged(NodeID)
    case revoked(number: UInt64)

    public var description: String {
        switch self {
        case .joined(let node): "\(node) joined"
        case .suspected(let node): "\(node) is suspected to be away"
        case .died(let node): "\(node) is away"
        case .returned(let node): "\(node) is back"
        case .left(let node): "\(node) left"
        case .refused(let node, let refusal): "\(node) is refused: \(refusal)"
        case .expires(let node, let date): "the certificate of \(node) expires on \(TrustRefusal.day(date))"
        case .alarm(let what): "ALARM: \(what)"
        case .seedFailed(let endpoint, let reason): "the seed \(endpoint) cannot be asked: \(reason)"
        case .inventoryChanged(let node): "what \(node) holds has changed"
        case .revoked(let number): "revocation list \(number) is in force"
        }
    }
}

/// A node that showed itself and was not taken for a member.
public struct RefusedNode: Hashable, Sendable {
    public let node: NodeID
    public let refusal: TrustRefusal
}

/// What an owner says of an object.
public struct OwnerAnswer: Hashable, Sendable {
    public enum Lease: Hashable, Sendable {
        /// Fetch it from upstream; ask again before this much time has passed to keep the lease.
        case granted(Duration)
        /// That member fetches it.
        case held(by: NodeID)
        /// No owner answered: fetch it yourself.
        case unreachable
        case notAsked
    }

    public var lease: Lease
    /// Members that hold it, at most eight.
    public var holders: [NodeID]
    /// Members that are getting it now, the lease's holder first.
    public var fetchers: [NodeID]
    /// The first of the two owners said so, by whose word a lease stands or falls.
    public var isFirstOwner = false
}

/// A member as a person or the data path sees it.
public struct MemberView: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case alive, suspect, dead, left
    }

    public let node: NodeID
    public let endpoint: Endpoint
    public let zone: Zone
    public let roles: Roles
    public let state: State
    public let incarnation: Incarnation
    public let software: String
    public let protocols: ClosedRange<UInt8>
    public let expires: Date?
    public let roundTrip: Duration?
    /// Bytes a second, as transfers found it.
    public let throughput: Double?
    /// Objects that it says it holds.
    public let inventoryCount: Int
    /// Since its last datagram; nil = none came yet.
    public let silence: Duration?
}
