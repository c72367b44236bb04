package import ChunkStore
package import Content

package import struct FoundationEssentials.Date

/// What the node that gives content says of it. Nothing of it is believed but what the bytes prove, and the class of
/// access only ever narrows what the asker may do.
package struct ContentFacts: Hashable, Sendable {
    /// Nil while a module zip is still in flight.
    package var digest: Digest?
    /// In bytes, once it is known.
    package var size: Int64?
    /// A Go module's `h1:` sum.
    package var h1: String?
    package var access: AccessClass
    package var verified: Verification
    package var contentType: String?
    /// The upstream it came from.
    package var origin: String
    /// When the bytes were fetched from there.
    package var learned: Date
    /// When the name was last validated there.
    package var checked: Date

    package init(
        digest: Digest?, size: Int64?, h1: String? = nil, access: AccessClass, verified: Verification,
        contentType: String? = nil, origin: String, learned: Date, checked: Date
    ) {
        self.digest = digest
        self.size = size
        self.h1 = h1
        self.access = access
        self.verified = verified
        self.contentType = contentType
        self.origin = origin
        self.learned = learned
        self.checked = checked
    }
}
