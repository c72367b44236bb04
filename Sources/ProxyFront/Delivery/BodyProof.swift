public import ChunkStore
public import Content

/// What a proven body is known to be; it travels in the reference.
public struct ProofVerdict: Sendable, Equatable {
    public var verification: Verification
    /// A Go module's `h1:` sum.
    public var h1: String?
    /// The body is authentic but must not be taken apart by the store (a hostile archive).
    public var isHostile: Bool

    public init(_ verification: Verification, h1: String? = nil, isHostile: Bool = false) {
        self.verification = verification
        self.h1 = h1
        self.isHostile = isHostile
    }
}

/// Proves one body while it arrives: sees every byte once and in order, then says whether they are what
/// their name promises. One object per attempt.
public protocol BodyProof: FrontObserver {
    /// Called once, after the last byte; may wait for an authority for a bounded time.
    /// - Parameter file: the whole body, nil when it could not be stored.
    /// - Throws: `DeliveryFailure.mismatch` when the bytes are not what they should be: they are dropped.
    func conclude(size: Int64, source: String, file: FileSlice?) async throws -> ProofVerdict
}

/// The proof of a body that is named by its digest: the ingest checks it against `BodyOrder.expected`.
public final class DigestProof: BodyProof {
    public init() {}
    public func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {}
    public var isQuick: Bool { true }
    public func conclude(size: Int64, source: String, file: FileSlice?) async throws -> ProofVerdict {
        ProofVerdict(.verified)
    }
}
