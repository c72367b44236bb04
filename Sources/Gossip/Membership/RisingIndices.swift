/// A rising list of indices, which is walked in one order whatever it went through.
extension [Int] {
    /// Puts an index in its place, or takes it out.
    /// - Returns: whether that changed anything.
    @discardableResult
    mutating func set(_ index: Int, isIn: Bool) -> Bool {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < index { low = middle + 1 } else { high = middle }
        }
        guard (low < count && self[low] == index) != isIn else { return false }
        if isIn { insert(index, at: low) } else { remove(at: low) }
        return true
    }
}
