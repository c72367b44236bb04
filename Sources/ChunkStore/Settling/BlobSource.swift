/// The bytes of a blob as a chunker reads them: any range, blocking.
package protocol BlobSource {
    /// Bytes of the blob.
    var size: Int64 { get }
    /// The bytes of `range`, all of them.
    /// - Throws: when the range cannot be read whole.
    func read(_ range: Range<Int64>) throws -> [UInt8]
}

/// A blob in memory.
package struct MemoryBlobSource: BlobSource {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var size: Int64 { Int64(bytes.count) }

    package func read(_ range: Range<Int64>) throws -> [UInt8] {
        Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }
}
