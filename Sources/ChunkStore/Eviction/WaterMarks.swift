/// When eviction starts and where it ends.
package struct WaterMarks: Sendable, Equatable {
    /// The most bytes the store may use; 0 = no cap but the disk.
    package var capacity: Int64
    package var high: Double
    package var low: Double
    /// Bytes of the file system that are left free.
    package var reservedFree: Int64

    package init(capacity: Int64, high: Double, low: Double, reservedFree: Int64) {
        self.capacity = capacity
        self.high = high
        self.low = low
        self.reservedFree = reservedFree
    }

    /// Bytes to free before `incoming` more are written: 0 below the high mark, else down to the low one.
    ///
    /// - Parameters:
    ///   - used: bytes of the store on disk.
    ///   - free: bytes free on its file system.
    package func excess(used: Int64, free: Int64, incoming: Int64 = 0) -> Int64 {
        var excess: Int64 = 0
        let wanted = used + incoming
        if capacity > 0, Double(wanted) > high * Double(capacity) {
            excess = wanted - Int64(low * Double(capacity))
        }
        let left = free - incoming
        if left < reservedFree {
            // The margin of the marks keeps the next write from starting it all again.
            let margin = Int64((high - low) * Double(max(capacity, reservedFree)))
            excess = max(excess, reservedFree - left + margin)
        }
        return excess
    }

    /// Whether `incoming` more bytes fit at all: beyond the capacity itself or the reserved space they do not.
    package func fits(used: Int64, free: Int64, incoming: Int64) -> Bool {
        (capacity == 0 || used + incoming <= capacity) && free - incoming >= reservedFree
    }
}
