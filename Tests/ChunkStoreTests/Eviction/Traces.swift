import Foundation

/// A sequence of requests to a cache, and the sizes of what is asked for.
struct Trace {
    var name: String
    var requests: [Int]
    var sizes: [Int64]

    /// Bytes of all distinct objects that are ever asked for.
    var footprint: Int64 { Set(requests).reduce(0) { $0 + sizes[$1] } }

    /// Independent draws from a Zipf distribution.
    static func zipf(objects: Int, requests: Int, exponent: Double, seed: UInt64) -> Trace {
        var random = SplitMix(seed: seed)
        let sizes = sizes(objects, &random)
        let draw = Zipf(objects: objects, exponent: exponent)
        return Trace(
            name: "zipf \(exponent)", requests: (0..<requests).map { _ in draw.next(&random) }, sizes: sizes)
    }

    /// Zipf draws, broken by scans over objects that are never read again: a CI run that warms a whole
    /// go.sum, a backup, a crawler.
    static func scanMixed(objects: Int, requests: Int, seed: UInt64) -> Trace {
        var random = SplitMix(seed: seed)
        let draw = Zipf(objects: objects, exponent: 0.9)
        var list: [Int] = []
        var next = objects
        while list.count < requests {
            for _ in 0..<2000 { list.append(draw.next(&random)) }
            for _ in 0..<1000 {
                list.append(next)
                next += 1
            }
        }
        return Trace(name: "scan-mixed", requests: list, sizes: sizes(next, &random))
    }

    /// The same objects over and over in the same order, more than fit.
    static func loop(objects: Int, rounds: Int, seed: UInt64) -> Trace {
        var random = SplitMix(seed: seed)
        let sizes = sizes(objects, &random)
        return Trace(name: "loop", requests: (0..<rounds).flatMap { _ in 0..<objects }, sizes: sizes)
    }

    /// Sizes as module zips have them: most some ten KB, a few of MBs.
    private static func sizes(_ count: Int, _ random: inout SplitMix) -> [Int64] {
        (0..<count).map { _ in
            let radius = (-2 * log(Double.random(in: 0.000_1..<1, using: &random))).squareRoot()
            let normal = radius * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
            return Int64(min(max(exp(11 + 1.2 * normal), 500), 8e6))
        }
    }
}

/// Draws ranks by their cumulative weights.
struct Zipf {
    private let cumulative: [Double]

    init(objects: Int, exponent: Double) {
        var sum = 0.0
        cumulative = (1...objects).map { rank in
            sum += 1 / pow(Double(rank), exponent)
            return sum
        }
    }

    func next(_ random: inout SplitMix) -> Int {
        let target = Double.random(in: 0..<(cumulative.last ?? 1), using: &random)
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > target { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A cache that a trace is played to; `access` says whether it was a hit.
protocol SimulatedCache {
    mutating func access(_ object: Int, size: Int64) -> Bool
}

extension Trace {
    /// Share of the bytes asked for that the cache had, once it is warm (after a fifth of the trace).
    func byteHitRatio(_ cache: some SimulatedCache) -> Double {
        var cache = cache
        var hits: Int64 = 0
        var total: Int64 = 0
        for (index, object) in requests.enumerated() {
            let hit = cache.access(object, size: sizes[object])
            if index < requests.count / 5 { continue }
            total += sizes[object]
            if hit { hits += sizes[object] }
        }
        return Double(hits) / Double(total)
    }
}
