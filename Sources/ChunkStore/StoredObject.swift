import Content

/// A blob that the store holds, ready to be read.
public struct StoredObject: Sendable {
    public enum Body: Sendable {
        /// A small object, whole, verified.
        case bytes([UInt8])
        /// A blob of its own file, from byte 0 to `size`; stays readable while held, even when evicted.
        case file(OpenFile)
        /// A folded blob, rebuilt as it is read.
        case recipe(any RecipeReader)
    }

    public let digest: Digest
    /// Bytes of the blob.
    public let size: Int64
    public let body: Body

    public init(digest: Digest, size: Int64, body: Body) {
        self.digest = digest
        self.size = size
        self.body = body
    }
}

/// Reads a folded blob through its recipe, every chunk verified before its bytes are given out.
public protocol RecipeReader: Sendable {
    /// Bytes of the blob.
    var size: Int64 { get }
    /// The bytes of `range`, which must lie within `0..<size`. Works after the blob was evicted, as long
    /// as the reader is held.
    /// - Throws: `StoreError.damaged` when a chunk does not verify.
    func read(_ range: Range<Int64>) async throws -> [UInt8]
}
