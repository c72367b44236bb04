import Foundation
import Gossip

/// A few cores on one clock, whose datagrams and exchanges arrive at once or not at all.
struct CoreBench {
    let cluster: TestCluster
    private(set) var cores: [GossipCore] = []
    private(set) var credentials: [ClusterCredentials] = []
    private var rngs: [GossipRandom] = []
    private(set) var now = GossipTime(nanoseconds: 1_000_000_000)
    /// What each node said happened.
    var events: [[GossipEvent]] = []
    private(set) var kept: [[UInt8]] = []
    /// Every datagram that was sent: whose, to whom, what.
    private(set) var sent: [(from: Int, to: Int?, bytes: [UInt8])] = []
    /// Bytes of exchanges, both ways.
    private(set) var exchangeBytes = 0
    private(set) var exchangesTried: [Int: Int] = [:]
    private(set) var replies: [UInt64: [UInt8]] = [:]
    private(set) var answers: [UInt64: OwnerAnswer] = [:]
    /// What became of trials.
    private(set) var trials: [UInt64: Duration?] = [:]
    /// Larger datagrams vanish.
    var widest = Int.max
    /// Nodes that neither send nor receive.
    var silent: Set<Int> = []
    /// What was sent and has not arrived.
    private var waiting: [Delivery] = []

    private enum Delivery {
        case input(GossipInput, to: Int)
        /// A question over TCP, whose answer arrives before whatever else comes of it.
        case request([UInt8], from: Int, token: UInt64, to: Int)
    }

    init(_ count: Int, cluster: TestCluster? = nil, knownTo: Int? = 0) throws {
        self.cluster = try cluster ?? TestCluster()
        for number in 0..<count {
            let seeds = number == knownTo ? [] : knownTo.map { [Self.endpoint($0)] } ?? []
            add(try self.cluster.credentials(), seeds: seeds)
        }
    }

    static func endpoint(_ number: Int) -> Endpoint {
        Endpoint(address: [10, 0, UInt8(number >> 8), UInt8(number & 255)], port: 4891)!
    }

    /// - Parameter shape: what is different about it.
    mutating func add(
        _ credentials: ClusterCredentials, seeds: [Endpoint], state: [UInt8] = [],
        shape: (inout GossipConfiguration) -> Void = { _ in }
    ) {
        cores.append(make(credentials, number: cores.count, seeds: seeds, state: state, shape))
        self.credentials.append(credentials)
        events.append([])
        kept.append([])
    }

    /// Starts a node again.
    mutating func restart(
        _ number: Int, seeds: [Endpoint] = [], state: [UInt8],
        shape: (inout GossipConfiguration) -> Void = { _ in }
    ) {
        cores[number] = make(credentials[number], number: number, seeds: seeds, state: state, shape)
    }

    private mutating func make(
        _ credentials: ClusterCredentials, number: Int, seeds: [Endpoint], state: [UInt8],
        _ shape: (inout GossipConfiguration) -> Void
    ) -> GossipCore {
        var rng = GossipRandom(
            seed: [UInt8](repeating: UInt8(number), count: 31) + [UInt8(state.count & 255)])
        var configuration = GossipConfiguration(
            endpoints: [Self.endpoint(number)], seeds: seeds.map { .init(endpoint: $0) }, software: "test")
        shape(&configuration)
        let core = GossipCore(
            configuration, credentials: credentials, trust: cluster.trust(), state: state, now: now,
            wall: wall, rng: &rng)
        if number < rngs.count { rngs[number] = rng } else { rngs.append(rng) }
        return core
    }

    var wall: Date { cluster.start.addingTimeInterval(Double(now.nanoseconds) / 1e9) }

    /// Gives an input and then everything that comes of it, in the order in which it was sent.
    mutating func give(_ input: GossipInput, to number: Int) {
        waiting.append(.input(input, to: number))
        guard waiting.count == 1 else { return }
        var next = 0
        while next < waiting.count {
            switch waiting[next] {
            case .input(let input, let number): receive(input, number)
            case .request(let bytes, let asker, let token, let target):
                let reply = UInt64.max - token
                replies[reply] = nil
                let behind = waiting.count
                receive(.exchangeRequest(bytes, from: credentials[asker].id, token: reply), target)
                let answer = replies[reply] ?? []
                exchangeBytes += bytes.count + answer.count
                let input = GossipInput.exchangeAnswer(
                    token: token, .success((credentials[target].id, answer)))
                waiting.insert(.input(input, to: asker), at: behind)
            }
            next += 1
        }
        waiting = []
    }

    private mutating func receive(_ input: GossipInput, _ number: Int) {
        var effects: [GossipEffect] = []
        cores[number].receive(input, now: now, wall: wall, rng: &rngs[number], into: &effects)
        for effect in effects { perform(effect, of: number) }
    }

    private func number(at endpoint: Endpoint) -> Int? {
        let number = Int(endpoint.address[2]) << 8 | Int(endpoint.address[3])
        return cores.indices.contains(number) ? number : nil
    }

    private mutating func perform(_ effect: GossipEffect, of number: Int) {
        switch effect {
        case .send(let bytes, let endpoint):
            let target = self.number(at: endpoint)
            sent.append((number, target, bytes))
            guard let target, !silent.contains(number), !silent.contains(target), bytes.count <= widest
            else { return }
            give(.datagram(bytes, from: Self.endpoint(number)), to: target)
        case .exchange(let token, let endpoint, let expecting, let bytes):
            exchangesTried[number, default: 0] += 1
            guard let target = self.number(at: endpoint), !silent.contains(number), !silent.contains(target),
                expecting == nil || expecting == credentials[target].id
            else {
                return give(
                    .exchangeAnswer(token: token, .failure(ExchangeFailure("nobody there"))), to: number)
            }
            waiting.append(.request(bytes, from: number, token: token, to: target))
        case .reply(let token, let bytes): replies[token] = bytes
        case .answer(let token, let answer): answers[token] = answer
        case .tried(let token, let span): trials[token] = .some(span)
        case .event(let event): events[number].append(event)
        case .persist(let bytes): kept[number] = bytes
        }
    }

    /// Lets time pass; everybody is woken when it wants to be.
    mutating func run(for span: Duration) {
        let end = now + span
        while true {
            let next = cores.indices.map { ($0, cores[$0].nextWake) }.min { $0.1 < $1.1 }
            guard let next, next.1 <= end else { break }
            now = max(now + .microseconds(10), next.1)
            give(.wake, to: next.0)
        }
        now = max(now, end)
    }

    /// Reaches into a core.
    mutating func change(_ number: Int, _ body: (inout GossipCore) -> Void) { body(&cores[number]) }

    func state(of subject: Int, seenBy observer: Int) -> MemberView.State? {
        cores[observer].view(of: credentials[subject].id, now: now)?.state
    }

    mutating func forgetTraffic() {
        sent = []
        exchangeBytes = 0
        exchangesTried = [:]
    }
}
