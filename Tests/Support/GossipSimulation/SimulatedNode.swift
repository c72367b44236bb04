import Gossip

import struct FoundationEssentials.Date

/// One machine of a simulated cluster: a core, what its process and its machine add to it, and its disk.
package final class SimulatedNode {
    /// Datagrams that a machine keeps for a process that does not read them.
    package static let socketLimit = 256

    package enum Status: Hashable, Sendable {
        case down
        case running
        case paused
    }

    package let number: Int
    package let credentials: ClusterCredentials
    package let endpoint: Endpoint
    package internal(set) var status = Status.down
    var running: RunningCore?
    /// What the core last asked to be kept.
    package internal(set) var disk: [UInt8]?
    /// Seconds by which the machine's clock is wrong.
    package var clockError = 0.0
    /// Nanoseconds that each input costs.
    package var inputCost: UInt64 = 0
    package internal(set) var traffic = Traffic()
    /// What it holds, in order; the truth that others are to learn.
    package internal(set) var held: [InventoryID] = []
    /// What its disk holds of the names that may change, by their numbers.
    package internal(set) var names: [KeptName?] = []
    /// How often its process has started.
    package internal(set) var starts = 0

    var random: GossipRandom
    /// Where its monotonic clock stood when its process started, and when that was.
    var clockBase: UInt64 = 0
    var startTime: UInt64 = 0
    var busyUntil: UInt64 = 0
    /// Inputs that wait for the processor or for a paused process to go on.
    var backlog = 0
    var wakeAt: UInt64?
    /// What came while it was paused.
    var missed: [SimulationEvent] = []

    init(number: Int, credentials: ClusterCredentials, endpoint: Endpoint, seed: [UInt8]) {
        (self.number, self.credentials, self.endpoint) = (number, credentials, endpoint)
        random = GossipRandom(seed: seed)
    }

    package var id: NodeID { credentials.id }
    package var core: GossipCore? { running?.core }

    /// Its monotonic clock: each process has a start of its own.
    func time(_ now: UInt64) -> GossipTime { GossipTime(nanoseconds: clockBase + (now - startTime)) }

    func simulated(_ time: GossipTime) -> UInt64 {
        guard time.nanoseconds > clockBase else { return startTime }
        let (sum, overflow) = (time.nanoseconds - clockBase).addingReportingOverflow(startTime)
        return overflow ? .max : sum
    }

    /// What its machine's clock says.
    func wall(_ now: UInt64) -> Date {
        Population.start.addingTimeInterval(Double(now) / 1e9 + clockError)
    }
}

/// The core of a process. Behind a reference, since looking at an optional value copies the whole of it.
final class RunningCore {
    var core: GossipCore

    init(_ core: GossipCore) { self.core = core }
}

/// What happens at one moment of a simulation.
enum SimulationEvent {
    case wake(node: Int, start: Int)
    case datagram(from: Endpoint, to: Int, [UInt8])
    case request(StreamCall, [UInt8])
    case answer(StreamCall, [UInt8]?)
    case begin(Int)
    case end(Int)
    case resume(Int)
    case script(Int)
}

/// An exchange over a stream, from the side that began it.
struct StreamCall {
    var caller: Int
    /// Which start of the caller asked; a later one hears no answer.
    var callerStart: Int
    var callee: Int
    var token: UInt64
    var expecting: NodeID?
}
