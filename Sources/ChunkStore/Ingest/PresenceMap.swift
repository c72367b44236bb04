/// Which bytes of a file are there: sorted, disjoint, non-touching ranges.
package struct PresenceMap: Sendable, Equatable {
    package private(set) var ranges: [Range<Int64>] = []
    /// Bytes in all ranges.
    package private(set) var count: Int64 = 0

    package init() {}

    package init(_ ranges: some Sequence<Range<Int64>>) {
        for range in ranges { insert(range) }
    }

    /// The end of the last range.
    package var end: Int64 { ranges.last?.upperBound ?? 0 }

    package mutating func insert(_ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        let first = firstIndex { $0.upperBound >= range.lowerBound }
        var last = first
        var merged = range
        while last < ranges.count, ranges[last].lowerBound <= range.upperBound {
            merged =
                min(
                    merged.lowerBound, ranges[last].lowerBound)..<max(
                    merged.upperBound, ranges[last].upperBound)
            count -= ranges[last].length
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: CollectionOfOne(merged))
        count += merged.length
    }

    package mutating func remove(_ range: Range<Int64>) {
        guard !range.isEmpty else { return }
        let kept = ranges.flatMap { old in
            [
                old.lowerBound..<max(old.lowerBound, min(old.upperBound, range.lowerBound)),
                min(old.upperBound, max(old.lowerBound, range.upperBound))..<old.upperBound,
            ]
        }
        ranges = kept.filter { !$0.isEmpty }
        count = ranges.reduce(0) { $0 + $1.length }
    }

    /// The end of the gapless run that starts at `offset`; `offset` itself when that byte is not there.
    package func end(from offset: Int64) -> Int64 {
        let index = firstIndex { $0.upperBound > offset }
        guard index < ranges.count, ranges[index].lowerBound <= offset else { return offset }
        return ranges[index].upperBound
    }

    /// The parts of `range` that are not there, in order.
    package func missing(in range: Range<Int64>) -> [Range<Int64>] {
        var gaps: [Range<Int64>] = []
        var offset = range.lowerBound
        var index = firstIndex { $0.upperBound > range.lowerBound }
        while offset < range.upperBound {
            guard index < ranges.count, ranges[index].lowerBound < range.upperBound else {
                gaps.append(offset..<range.upperBound)
                break
            }
            if ranges[index].lowerBound > offset { gaps.append(offset..<ranges[index].lowerBound) }
            offset = max(offset, ranges[index].upperBound)
            index += 1
        }
        return gaps
    }

    package func contains(_ range: Range<Int64>) -> Bool {
        range.isEmpty || end(from: range.lowerBound) >= range.upperBound
    }

    /// The first range for which `holds`, by bisection; `holds` must turn true once along the order.
    private func firstIndex(_ holds: (Range<Int64>) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if holds(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension Range<Int64> {
    package var length: Int64 { upperBound - lowerBound }
}
