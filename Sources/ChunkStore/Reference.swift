import Content

import struct FoundationEssentials.Date

/// How far the bytes behind a reference were proven against an authority.
public enum Verification: Int, Sendable, CaseIterable {
    /// Nobody could be asked yet; never given to peers, never replaces verified content.
    case unverified = 0
    /// Proven against the checksum database or by the name being a digest.
    case verified = 1
    /// Private content: the first bytes seen from one's own upstream are the pin.
    case pinnedAtFirstSight = 2
    /// There is nothing to prove it against (lists, latest, tags).
    case notApplicable = 3
}

/// Who may have the content: public only once it was fetched anonymously; unknown is private.
public enum AccessClass: Int, Sendable, CaseIterable {
    case `private` = 0
    case `public` = 1
}

/// A name that points at a blob, with where and when that was learned.
public struct Reference: Sendable, Hashable {
    public var name: ReferenceName
    public var digest: Digest
    /// The blob's size in bytes.
    public var size: Int64
    /// When the bytes were fetched.
    public var learned: Date
    /// When the name was last validated against its upstream: what freshness counts from.
    public var checked: Date
    /// The upstream it came from.
    public var origin: String
    /// A strong ETag or a Last-Modified date, as upstream gave it.
    public var validator: String?
    public var contentType: String?
    public var verified: Verification
    public var access: AccessClass
    /// A Go module's `h1:` sum.
    public var h1: String?

    public init(
        name: ReferenceName, digest: Digest, size: Int64, learned: Date, checked: Date, origin: String,
        validator: String? = nil, contentType: String? = nil, verified: Verification = .notApplicable,
        access: AccessClass = .private, h1: String? = nil
    ) {
        self.name = name
        self.digest = digest
        self.size = size
        self.learned = learned
        self.checked = checked
        self.origin = origin
        self.validator = validator
        self.contentType = contentType
        self.verified = verified
        self.access = access
        self.h1 = h1
    }
}
