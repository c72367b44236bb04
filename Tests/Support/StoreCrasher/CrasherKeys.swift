/// What the crashing child and the test that kills it both know: which keys there are and which bytes they have.
///
/// The child prints a line before and after each change: `B <key> <value>` when it begins to give `key` the value
/// (`-` = not there), `E <key>` when that is done. What was begun and not ended at the kill may be either way.
package enum CrasherKeys {
    /// Blobs are numbered; each worker of the child has its own.
    package static let workers = 3
    private static let blobsPerWorker = 12
    package static let smallObjectLimit = 8 << 10

    package static var count: Int { workers * blobsPerWorker }

    package static func blobs(ofWorker worker: Int) -> Range<Int> {
        worker * blobsPerWorker..<(worker + 1) * blobsPerWorker
    }

    /// Sizes on both sides of the small object limit; one of each worker's is large enough to be parked.
    private static func size(_ number: Int) -> Int {
        switch number % blobsPerWorker {
        case 0: 1_500_000
        case 1...4: 20_000 + number * 1777
        default: 100 + number * 211
        }
    }

    /// The same bytes for the same number, in every process.
    package static func bytes(_ number: Int) -> [UInt8] {
        let count = size(number)
        var state = UInt64(number &+ 1) &* 0x9e37_79b9_7f4a_7c15
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            withUnsafeBytes(of: state.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    /// The key of a blob: held or not.
    package static func blob(_ number: Int) -> String { "blob/\(number)" }
    /// The key, and the reference, of the blob's name.
    package static func name(_ number: Int) -> String { "crash/\(number)" }
}
