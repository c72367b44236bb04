/// What a network does to what is sent through it: a value with random numbers of its own.
///
/// Places are numbered; a node stands at the place of its number.
package struct VirtualNetwork: Sendable {
    /// How a path treats datagrams.
    package struct Quality: Sendable, Hashable {
        /// Probabilities, 0 to 1.
        package var loss = 0.0
        package var duplication = 0.0
        /// How many are held up by up to `reorderDelay`, so that later ones overtake them.
        package var reordering = 0.0
        /// One way, in nanoseconds; each datagram takes between `delay` and `delay + jitter`.
        package var delay: UInt64 = 500_000
        package var jitter: UInt64 = 500_000
        package var reorderDelay: UInt64 = 50_000_000
        /// Datagrams with more payload than this vanish, as where a router drops instead of fragmenting.
        package var payloadLimit = 65_507

        package init() {}
    }

    package struct Path: Hashable, Sendable {
        package var from: Int
        package var to: Int

        package init(from: Int, to: Int) { (self.from, self.to) = (from, to) }
    }

    package var quality = Quality()
    /// Added to the delay between places whose numbers differ modulo `siteCount`.
    package var siteDelay: UInt64 = 0
    package var siteCount = 1
    /// Directions in which nothing passes. Only looked up, never walked through.
    package var cuts: Set<Path> = []
    /// Paths that are better or worse than the others.
    package var paths: [Path: Quality] = [:]
    /// Which side of a partition each place is on; those without one are on side 0.
    package var sides: [Int] = []
    private var random: SimulationRandom

    package init(seed: UInt64) { random = SimulationRandom(seed: seed) }

    private func side(_ place: Int) -> Int { place < sides.count ? sides[place] : 0 }

    package func isCut(from: Int, to: Int) -> Bool {
        side(from) != side(to) || (!cuts.isEmpty && cuts.contains(Path(from: from, to: to)))
    }

    private func quality(from: Int, to: Int) -> Quality {
        paths.isEmpty ? quality : paths[Path(from: from, to: to)] ?? quality
    }

    private mutating func delay(_ quality: Quality, from: Int, to: Int) -> UInt64 {
        var delay = quality.delay + random.next() % (quality.jitter + 1)
        if siteCount > 1, from % siteCount != to % siteCount { delay += siteDelay }
        return delay
    }

    /// After how many nanoseconds a datagram arrives: none, one or several times.
    package mutating func route(from: Int, to: Int, byteCount: Int) -> [UInt64] {
        let quality = quality(from: from, to: to)
        guard !isCut(from: from, to: to), byteCount <= quality.payloadLimit, !random.happens(quality.loss)
        else { return [] }
        var arrivals = [delay(quality, from: from, to: to)]
        if random.happens(quality.reordering) { arrivals[0] += random.next() % (quality.reorderDelay + 1) }
        if random.happens(quality.duplication) { arrivals.append(delay(quality, from: from, to: to)) }
        return arrivals
    }

    /// After how many nanoseconds a stream has carried so many bytes one way, what was lost sent again; nil when
    /// nothing passes.
    ///
    /// - Parameter turns: how many times before that the two wait for each other.
    package mutating func stream(from: Int, to: Int, byteCount: Int, turns: Int) -> UInt64? {
        guard !isCut(from: from, to: to), !isCut(from: to, to: from) else { return nil }
        let quality = quality(from: from, to: to)
        var total: UInt64 = 0
        for _ in 0...turns { total += delay(quality, from: from, to: to) }
        // 100 Mbit/s, and 200 ms for each lost segment.
        total += UInt64(byteCount) * 80
        for _ in 0...(turns + byteCount / 1400) where random.happens(quality.loss) { total += 200_000_000 }
        return total
    }
}
