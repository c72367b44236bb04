/// How a node takes part in gossip (architecture of SWIM: Das, Gupta, Motivala 2002; Lifeguard: Dadgar, Phillips,
/// Currey 2017). The defaults are those that docs/wire-formats.md names.
public struct GossipConfiguration: Sendable {
    /// A node that is asked for the others at the start.
    public struct Seed: Hashable, Sendable {
        public let endpoint: Endpoint
        /// Who must answer there; nil = any member.
        public let node: NodeID?

        public init(endpoint: Endpoint, node: NodeID? = nil) {
            (self.endpoint, self.node) = (endpoint, node)
        }
    }

    /// Where others reach this node; at least one.
    public var endpoints: [Endpoint]
    public var seeds: [Seed]
    /// Zones from near to far, behind the node's own.
    public var zoneOrder: [Zone]
    public var software: String

    public var probeInterval: Duration = .seconds(1)
    /// A direct probe that is not answered by then is tried through others.
    public var probeTimeout: Duration = .milliseconds(500)
    public var indirectProbes = 3
    public var gossipInterval: Duration = .milliseconds(200)
    public var fanout = 3
    /// The shortest suspicion among up to ten members, and what each tenfold number of them adds.
    public var suspicion: Duration = .seconds(3)
    public var suspicionGrowth: Duration = .seconds(1)
    /// The longest suspicion, in shortest ones.
    public var suspicionStretch = 6
    /// Independent accusers that bring a suspicion down to its shortest.
    public var accusers = 3
    public var healthLimit = 8
    /// Between two comparisons of all records with some member.
    public var exchangeInterval: Duration = .seconds(60)
    /// Between two attempts at a node that is dead or was never met.
    public var retryInterval: Duration = .seconds(10)
    public var memberLimit = 16_384
    /// Datagrams a second that are taken of one member, and how many at once.
    public var datagramRate = 2_000
    /// Cards a second of one member whose signatures are checked, about 150 us each.
    public var cardRate = 100
    /// An owner's answer is given up after this, and the second owner asked.
    public var ownerTimeout: Duration = .milliseconds(50)
    public var leaseTime: Duration = .seconds(5)

    /// False: datagrams are not encrypted. For simulations of very many nodes only.
    package var sealsDatagrams = true
    /// Shared by the nodes of a simulation, so that each signature is checked once.
    package var memo: SignatureMemo?

    // What a later version says. Only tests give these other values.
    /// The versions of docs/wire-formats.md that this node speaks.
    package var protocols = GossipCore.protocols
    /// What stands in its record behind what this version knows.
    package var recordExtra: [UInt8] = []
    /// Messages at the end of each datagram that has room.
    package var trailer: [UInt8] = []

    public init(
        endpoints: [Endpoint], seeds: [Seed] = [], zoneOrder: [Zone] = [], software: String = "edgenode"
    ) {
        precondition(!endpoints.isEmpty, "a node is reached somewhere")
        (self.endpoints, self.seeds, self.zoneOrder, self.software) = (endpoints, seeds, zoneOrder, software)
    }
}
