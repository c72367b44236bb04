/// Cuts bytes that are not compressed by their content (`FastCDC`, 8/32/128 KiB).
package struct ContentChunker: Chunker {
    private let fastCDC: FastCDC
    /// Bytes read at a time.
    private let window: Int64 = 1 << 20

    package init(_ fastCDC: FastCDC = FastCDC()) { self.fastCDC = fastCDC }

    package func plan(_ source: some BlobSource, shouldStop: () -> Bool) throws -> ChunkPlan {
        guard source.size > 0 else { throw ChunkingRefusal.notWorthwhile(.plain) }
        var builder = ChunkPlanBuilder()
        builder.cut(try cuts(source, in: 0..<source.size, shouldStop))
        return builder.plan(.plain, size: source.size)
    }

    /// The chunks of `range`, which cover it without gaps.
    func cuts(
        _ source: some BlobSource, in range: Range<Int64>, _ shouldStop: () -> Bool
    ) throws -> [Range<Int64>] {
        var cuts: [Range<Int64>] = []
        var start = range.lowerBound
        while start < range.upperBound {
            if shouldStop() { throw ChunkingRefusal.stopped }
            let bytes = try source.read(start..<min(start + window, range.upperBound))
            let isLast = start + Int64(bytes.count) == range.upperBound
            bytes.withUnsafeBytes { buffer in
                var at = 0
                while at < buffer.count, isLast || buffer.count - at >= fastCDC.maximum {
                    let length = fastCDC.cut(UnsafeRawBufferPointer(rebasing: buffer[at...]))
                    let first = start + Int64(at)
                    cuts.append(first..<first + Int64(length))
                    at += length
                }
                start += Int64(at)
            }
        }
        return cuts
    }
}
