/// What goes wrong in a simulated network, and when it ends.
package enum Fault: Sendable, Hashable {
    /// The whole network gets worse.
    case quality(VirtualNetwork.Quality)
    /// Nothing passes from one place to another; the way back stays open.
    case cut(from: Int, to: Int)
    /// Nothing passes between places on different sides.
    case partition(sides: [Int])
    /// A process stands still, as under a debugger or a swapped-out machine, and goes on.
    case pause(node: Int)
    /// A process ends without a word and starts again, with what it kept on disk or with its key alone.
    case restart(node: Int, keepsDisk: Bool)
    /// Each input costs a node this long, in nanoseconds.
    case starve(node: Int, cost: UInt64)
    /// A machine's clock jumps by so many seconds, and back at the end.
    case clock(node: Int, seconds: Double)
}

/// A fault from one time to another, in nanoseconds since the simulation began.
package struct FaultWindow: Sendable, Hashable {
    package var fault: Fault
    package var begins: UInt64
    package var ends: UInt64
}

/// Faults at random, all of them over at a stated time.
package struct FaultSchedule: Sendable {
    package let windows: [FaultWindow]
    /// From then on the network is whole.
    package let heals: UInt64

    package init(windows: [FaultWindow], heals: UInt64) { (self.windows, self.heals) = (windows, heals) }

    /// - Parameters:
    ///   - nodes: how many there are.
    ///   - begins: when the first may begin, in nanoseconds.
    ///   - heals: when the last is over.
    ///   - count: how many there are.
    package init(seed: UInt64, nodes: Int, begins: UInt64, heals: UInt64, count: Int) {
        var random = SimulationRandom(seed: seed)
        var windows: [FaultWindow] = []
        for _ in 0..<count {
            let start = begins + random.next() % (heals - begins)
            let end = start + random.next() % (heals - start + 1)
            windows.append(
                FaultWindow(fault: Self.fault(nodes, &random), begins: start, ends: max(end, start + 1)))
        }
        self.init(windows: windows, heals: heals)
    }

    private static func fault(_ nodes: Int, _ random: inout SimulationRandom) -> Fault {
        let node = random.below(nodes)
        switch random.below(10) {
        case 0, 1: return .quality(quality(&random))
        case 2: return .cut(from: node, to: (node + 1 + random.below(nodes - 1)) % nodes)
        case 3: return .partition(sides: (0..<nodes).map { _ in random.below(2) })
        case 4: return .pause(node: node)
        case 5, 6: return .restart(node: node, keepsDisk: true)
        case 7: return .restart(node: node, keepsDisk: false)
        case 8: return .starve(node: node, cost: 5_000_000 + random.next() % 95_000_000)
        default:
            let year = 365.0 * 86_400
            return .clock(node: node, seconds: random.happens(0.5) ? year : -year)
        }
    }

    private static func quality(_ random: inout SimulationRandom) -> VirtualNetwork.Quality {
        var quality = VirtualNetwork.Quality()
        switch random.below(5) {
        case 0: quality.loss = 0.05 + 0.01 * Double(random.below(26))
        case 1: quality.duplication = 0.3
        case 2: quality.reordering = 0.5
        case 3: (quality.delay, quality.jitter) = (150_000_000, 100_000_000)
        default: quality.payloadLimit = 500
        }
        return quality
    }
}
