/// Which counters of one sender were seen: the last 1,024 below the highest (RFC 6479 in spirit).
package struct ReplayWindow: Sendable {
    package static let width: UInt64 = 1024
    private var highest: UInt64 = 0
    /// One word more than the window has: the oldest and the newest word are both partly in it.
    private static let words = width / 64 + 1
    private var bits = [UInt64](repeating: 0, count: Int(words))

    package init() {}

    /// Whether `counter` is new and not too old. Nothing is noted.
    package func accepts(_ counter: UInt64) -> Bool {
        if counter == 0 { return false }
        if counter > highest { return true }
        guard highest - counter < Self.width else { return false }
        return bits[Int(counter / 64 % Self.words)] & 1 << (counter % 64) == 0
    }

    /// Notes a counter whose datagram was authentic.
    package mutating func note(_ counter: UInt64) {
        if counter > highest {
            if counter - highest >= Self.width {
                for index in bits.indices { bits[index] = 0 }
            } else {
                // Whole words that the window moves into begin empty.
                var word = highest / 64 + 1
                while word <= counter / 64 {
                    bits[Int(word % Self.words)] = 0
                    word += 1
                }
            }
            highest = counter
        }
        bits[Int(counter / 64 % Self.words)] |= 1 << (counter % 64)
    }
}
