/// Numbers that were measured, and what is said about them.
package struct Sample: Sendable {
    package private(set) var values: [Double] = []

    package init(_ values: [Double] = []) { self.values = values }

    package mutating func add(_ value: Double) { values.append(value) }

    package var count: Int { values.count }
    package var mean: Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
    package var maximum: Double { values.max() ?? 0 }

    /// The smallest value that a share (0 to 1) of all does not exceed.
    package func percentile(_ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let rank = Int((share * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }
}

/// What goes over the wire of one node.
package struct Traffic: Sendable {
    /// Bytes of IPv4 and UDP headers around a datagram.
    package static let headerByteCount = 28

    package private(set) var datagrams = 0
    /// With headers.
    package private(set) var datagramBytes = 0
    package private(set) var streams = 0
    /// Of requests and answers, without the headers of TCP and the handshake.
    package private(set) var streamBytes = 0

    package init() {}

    package mutating func addDatagram(_ byteCount: Int) {
        datagrams += 1
        datagramBytes += byteCount + Self.headerByteCount
    }

    package mutating func addStream(_ byteCount: Int) {
        streams += 1
        streamBytes += byteCount
    }
}

package enum RareEvents {
    /// The rate that, with 95 % confidence, is not exceeded by events seen `count` times in so many hours: the upper
    /// bound of a Poisson rate, 3 / hours for none seen (the rule of three; Hanley and Lippman-Hand 1983).
    package static func upperBound(count: Int, hours: Double) -> Double {
        // Solves P(X <= count | mean) = 0.05 by halving.
        var (low, high) = (0.0, Double(count) * 3 + 20)
        for _ in 0..<100 {
            let mean = (low + high) / 2
            var (term, sum) = (1.0, 1.0)
            for index in 0..<count {
                term *= mean / Double(index + 1)
                sum += term
            }
            if sum * exponential(-mean) > 0.05 { low = mean } else { high = mean }
        }
        return high / hours
    }

    private static func exponential(_ value: Double) -> Double {
        // e^x = (e^(x / 1024))^1024, the inner one by its series.
        let small = value / 1024
        var result = 1 + small + small * small / 2 + small * small * small / 6
        for _ in 0..<10 { result *= result }
        return result
    }
}
