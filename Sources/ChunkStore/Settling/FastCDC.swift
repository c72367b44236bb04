/// Content-defined chunking after Xia et al., "FastCDC" (USENIX ATC 2016; IEEE TPDS 2020): a gear hash rolls
/// over the bytes, cut-points below the minimum are skipped, and normalised chunking (level 2) asks for more
/// zero bits before the expected size than after it, which narrows the spread of sizes.
package struct FastCDC: Sendable {
    /// Bytes; the last chunk of a stream may be shorter than `minimum`.
    package let minimum: Int
    package let average: Int
    package let maximum: Int
    private let strictMask: UInt64
    private let easyMask: UInt64

    /// - Precondition: `0 < minimum < average < maximum`, and `average` is a power of two of 64 bytes or more.
    package init(minimum: Int = 8 << 10, average: Int = 32 << 10, maximum: Int = 128 << 10) {
        precondition(0 < minimum && minimum < average && average < maximum, "sizes must rise")
        precondition(average.nonzeroBitCount == 1 && average >= 64, "the average is a power of two")
        self.minimum = minimum
        self.average = average
        self.maximum = maximum
        let bits = average.trailingZeroBitCount
        strictMask = Self.mask(ones: bits + 2)
        easyMask = Self.mask(ones: bits - 2)
    }

    /// The length of the first chunk of `bytes`, which must not be empty.
    ///
    /// What follows `maximum` bytes is never looked at: hand in that many, or all there are.
    package func cut(_ bytes: UnsafeRawBufferPointer) -> Int {
        let length = min(bytes.count, maximum)
        guard length > minimum else { return length }
        let normal = min(average, length)
        return Self.gear.withUnsafeBufferPointer { gear in
            var hash: UInt64 = 0
            var at = minimum
            while at < normal {
                hash = hash << 1 &+ gear[Int(bytes[at])]
                if hash & strictMask == 0 { return at }
                at += 1
            }
            while at < length {
                hash = hash << 1 &+ gear[Int(bytes[at])]
                if hash & easyMask == 0 { return at }
                at += 1
            }
            return length
        }
    }

    /// The top bits of the hash: those depend on the most bytes of the window.
    private static func mask(ones: Int) -> UInt64 { ~(UInt64.max >> UInt64(ones)) }

    /// 256 random numbers. They are part of the format, in the sense that nodes cut alike only with the same
    /// ones: SplitMix64 (Steele et al., OOPSLA 2014) from the seed 0.
    package static let gear: [UInt64] = {
        var state: UInt64 = 0
        return (0..<256).map { _ in
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }()
}
