import Content

/// What the store tells those who count or alarm.
public enum StoreEvent: Sendable, Equatable {
    /// A blob became visible.
    case published(Digest, size: Int64)
    /// A blob and its references were dropped; `because` says why.
    case removed(Digest, size: Int64, because: String)
    /// Bytes on disk did not match: found by a read or by a scrub.
    case damaged(Digest, what: String)
    case evicted(Digest, size: Int64)
    case folded(Digest, size: Int64, stored: Int64)
    case unfolded(Digest, size: Int64)
    /// A pack was rewritten; `freed` bytes came back.
    case packRewritten(freed: Int64)
    /// These names were set, and point where they say from now on.
    case named([Reference])
    /// These names are gone, alone or with what they pointed at.
    case unnamed([ReferenceName])
    /// Something that an operator should see.
    case alarm(String)
}
