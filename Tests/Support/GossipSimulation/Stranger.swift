import Gossip

/// Somebody without any key who sees every datagram: sends old ones again, to their receiver and to others, from
/// their sender's address and from elsewhere; changes bits; makes up datagrams under the names that it saw.
package final class Stranger: Adversary {
    private static let memory = 512
    private let endpoint: Endpoint
    private let share: Double
    private var kept: [(datagram: [UInt8], from: Endpoint, to: Endpoint)] = []
    package private(set) var injections = 0

    /// - Parameters:
    ///   - place: where it stands itself.
    ///   - share: how many datagrams it sends for each that it sees.
    package init(place: Int, share: Double) {
        endpoint = Simulation.endpoint(of: place)
        self.share = share
    }

    package func saw(
        _ datagram: [UInt8], from: Endpoint, to: Endpoint, random: inout SimulationRandom
    ) -> [Injection] {
        // Some are kept for the rest of the run, others for a while.
        if kept.count < Self.memory {
            kept.append((datagram, from, to))
        } else if random.happens(0.2) {
            kept[Self.memory / 4 + random.below(Self.memory * 3 / 4)] = (datagram, from, to)
        }
        guard random.happens(share) else { return [] }
        injections += 1
        let old = kept[random.below(kept.count)]
        let source = random.happens(0.5) ? old.from : endpoint
        switch random.below(6) {
        case 0, 1: return [Injection(old.datagram, from: source, to: old.to)]
        case 2: return [Injection(old.datagram, from: source, to: to)]
        case 3:
            var changed = old.datagram
            changed[random.below(changed.count)] ^= 1 << UInt8(random.below(8))
            return [Injection(changed, from: old.from, to: old.to)]
        case 4: return [Injection(Array(datagram.prefix(random.below(datagram.count))), from: from, to: to)]
        default:
            let head = Array(old.datagram.prefix(DatagramHead.byteCount))
            return [Injection(head + random.bytes(40 + random.below(400)), from: old.from, to: to)]
        }
    }
}
