/// FNV-1a of 64 bits over everything that was delivered: two runs with one hash did the same.
package struct TraceHash: Sendable, Hashable, CustomStringConvertible {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Things delivered so far.
    package private(set) var count: UInt64 = 0

    package init() {}

    package mutating func add(time: UInt64, kind: UInt8, from: Int, to: Int, _ bytes: [UInt8]) {
        count += 1
        add(time)
        add(UInt64(kind))
        add(UInt64(truncatingIfNeeded: from))
        add(UInt64(truncatingIfNeeded: to))
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    private mutating func add(_ word: UInt64) {
        for shift in 0..<8 {
            value = (value ^ (word >> UInt64(8 * shift) & 0xff)) &* 0x100_0000_01b3
        }
    }

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + " after \(count) deliveries"
    }
}
