import ChunkStore

import struct FoundationEssentials.Date

/// What whoever brings a module's file says of it.
package struct ModuleClaim: Sendable {
    package var origin: String
    package var learned: Date
    package var checked: Date
    package var validator: String?
    /// The file's sum, as far as it is stated.
    package var h1: String?
    package var verified: Verification
    package var access: AccessClass
    /// Whether it was signed by a key that the operator trusts: then its word stands where nothing here speaks against
    /// it.
    package var isTrusted: Bool

    /// The word of a trusted signer.
    package init(trusting reference: Reference) {
        origin = reference.origin
        learned = reference.learned
        checked = reference.checked
        validator = reference.validator
        h1 = reference.h1
        verified = reference.verified
        access = reference.access
        isTrusted = true
    }

    /// A file that just lay there.
    /// - Parameters:
    ///   - origin: where, for the audit log.
    ///   - h1: the sum that stood beside it.
    ///   - access: what the operator says of it.
    package init(found origin: String, at now: Date, h1: String? = nil, access: AccessClass) {
        self.origin = origin
        learned = now
        checked = now
        self.h1 = h1
        verified = .unverified
        self.access = access
        isTrusted = false
    }
}

/// What became of a module's file.
package enum ModuleOutcome: Sendable, Equatable {
    /// It is in the store now.
    case stored(Verification)
    /// It, or a file of the same sum, was there before.
    case held
    /// It is in the store now, and its sum is what later ones will be held against.
    case pinned
}

/// Why a module's file is not taken.
package struct ModuleRefusal: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ file: ModuleFile, _ reason: String) { description = "\(file.name): \(reason)" }
}
