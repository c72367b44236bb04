/// Mistakes that tests have the store make, to see that they would be noticed. None in a real store.
package struct Faults: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// A fold does not rebuild the blob before it lets the file go.
    package static let skipTrialRebuild = Faults(rawValue: 1 << 0)
    /// A fold unlinks the blob's file before the recipe is committed.
    package static let unlinkBeforeCommit = Faults(rawValue: 1 << 1)
    /// A fold takes the second of two chunks one byte too early.
    package static let wrongChunkOffset = Faults(rawValue: 1 << 2)
    /// Eviction does not ask whether something is pinned.
    package static let evictPinned = Faults(rawValue: 1 << 3)
}
