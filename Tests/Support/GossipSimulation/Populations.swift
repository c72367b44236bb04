import Gossip
import Synchronization

/// The populations that were made in this process.
package final class Populations: Sendable {
    package static let shared = Populations()

    private struct Kind: Hashable {
        var count: Int
        var zones: [Zone]
    }

    private let made = Mutex<[Kind: Population]>([:])

    /// People for `count` nodes, who take the zones in turn; the same ones each time.
    package func population(count: Int, zones: [Zone] = [.standard]) throws -> Population {
        try made.withLock { made in
            let kind = Kind(count: count, zones: zones)
            if let population = made[kind] { return population }
            let population = try Population(seed: 4891, count: count, zones: zones)
            made[kind] = population
            return population
        }
    }
}
