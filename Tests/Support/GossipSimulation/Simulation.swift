import Content
import Gossip

/// A cluster in a box: cores with their real codecs and keys on a virtual clock, over a network that does what its
/// seed and its script say.
///
/// A run is its settings and its seed; two runs of one have one trace.
package final class Simulation {
    package struct Settings: Sendable {
        package var seed: UInt64
        package var count: Int
        package var zones: [Zone] = [.standard]
        /// False: datagrams travel open, for long runs whose subject is not the cipher.
        package var seals = true
        /// Every how many inputs a node's view is looked at whole.
        package var checkEvery = 1
        /// How many of the first nodes the others know from their configuration.
        package var seedCount = 2
        /// False: no disk is written, for runs of very many nodes in which none starts again.
        package var keepsDisks = true
        package var mutation: Mutation?

        package init(seed: UInt64, count: Int) { (self.seed, self.count) = (seed, count) }
    }

    package let settings: Settings
    package let population: Population
    package var network: VirtualNetwork
    package internal(set) var nodes: [SimulatedNode] = []
    package internal(set) var trace = TraceHash()
    package internal(set) var invariants: Invariants
    package internal(set) var log = EventLog()
    var queue = EventQueue<SimulationEvent>()
    var windows: [FaultWindow] = []
    var scripts: [(Simulation) -> Void] = []
    var random: SimulationRandom
    /// Who may send and receive besides the nodes: called with what passes by.
    package var adversary: (any Adversary)?
    /// Checks of signatures that all nodes share.
    let memo = SignatureMemo()
    /// Whether grants are looked at: while nothing keeps members from the owners.
    package var checksLeases = false
    /// Requests that a node has not answered yet: its token, and whose it is.
    var pending: [Int: [UInt64: StreamCall]] = [:]
    var nextToken: UInt64 = 1
    /// Who was found wrong last, and is looked at first.
    var wrongLast = 0
    /// The newest revocation list.
    package internal(set) var revocations: RevocationList?
    var issued: [RevocationList] = []
    /// Names that may change, and the number of the content that upstream says each stands for.
    package internal(set) var names: [ReferenceName] = []
    var contents: [Int] = []
    /// Nodes whose upstream is away. Only looked up.
    package var withoutUpstream: Set<Int> = []
    /// A member that answers lies about names.
    package var liarAboutNames: Int?
    let nameBug: NameBug

    package init(_ settings: Settings, population: Population) {
        precondition(population.members.count >= settings.count, "there are people for each node")
        self.settings = settings
        self.population = population
        nameBug = settings.mutation?.names ?? .none
        random = SimulationRandom(seed: settings.seed)
        network = VirtualNetwork(seed: random.next())
        invariants = Invariants(population: population, count: settings.count)
        for number in 0..<settings.count {
            nodes.append(
                SimulatedNode(
                    number: number, credentials: population.members[number],
                    endpoint: Self.endpoint(of: number), seed: random.bytes(GossipRandom.seedByteCount)))
        }
    }

    /// Nanoseconds since the simulation began.
    package var now: UInt64 { queue.now }

    /// Where a place is reached: 10.x.y.z, its number in the address.
    package static func endpoint(of place: Int) -> Endpoint {
        let bytes: [UInt8] = [10, UInt8(place >> 16 & 0xff), UInt8(place >> 8 & 0xff), UInt8(place & 0xff)]
        guard let endpoint = Endpoint(address: bytes, port: 4891) else {
            preconditionFailure("four bytes and a port make an endpoint")
        }
        return endpoint
    }

    static func place(of endpoint: Endpoint) -> Int? {
        guard endpoint.address.count == 4, endpoint.address[0] == 10, endpoint.port == 4891 else {
            return nil
        }
        return endpoint.address.dropFirst().reduce(0) { $0 << 8 | Int($1) }
    }

    // MARK: What a test does

    /// Has `action` happen at a time.
    package func at(_ time: UInt64, _ action: @escaping (Simulation) -> Void) {
        scripts.append(action)
        queue.push(.script(scripts.count - 1), at: time)
    }

    package func schedule(_ schedule: FaultSchedule) {
        for window in schedule.windows {
            windows.append(window)
            queue.push(.begin(windows.count - 1), at: window.begins)
            queue.push(.end(windows.count - 1), at: window.ends)
        }
    }

    /// Starts every node within `span` nanoseconds.
    package func startAll(within span: UInt64 = 1_000_000_000) {
        for number in nodes.indices {
            at(now + random.next() % max(span, 1)) { $0.start(number) }
        }
    }

    /// Lets time pass.
    package func run(for span: UInt64) { run(until: now + span) }

    package func run(until time: UInt64) {
        while let event = queue.pop(until: time) { deliver(event) }
    }

    /// Lets time pass until `condition`, looked at every 50 ms, holds.
    /// - Returns: the nanoseconds that it took; nil when it does not hold within `limit`.
    package func run(atMost limit: UInt64, until condition: (Simulation) -> Bool) -> UInt64? {
        let start = now
        while true {
            if condition(self) { return now - start }
            guard now - start < limit else { return nil }
            run(for: 50_000_000)
        }
    }
}
