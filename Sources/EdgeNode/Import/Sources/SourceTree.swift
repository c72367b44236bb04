import Content

/// Files by their paths below a root: a folder, or what a tar archive holds. Reading it blocks.
protocol SourceTree: Sendable {
    /// The paths of all regular files, `/` between their elements, in the order of their bytes.
    var paths: [String] { get }
    /// The bytes of the regular file at `path`; nil when there is none.
    /// - Throws: `SourceError` when it is there and cannot be read.
    func file(_ path: String) throws(SourceError) -> FileSlice?
}

extension SourceTree {
    /// All bytes of a file that fits in memory; nil when there is none.
    /// - Throws: `SourceError`, also when it is longer than `limit`.
    func bytes(_ path: String, limit: Int64) throws(SourceError) -> [UInt8]? {
        guard let slice = try file(path) else { return nil }
        guard slice.count <= limit else {
            throw SourceError("\(path) has \(slice.count) bytes, more than the \(limit) that are read")
        }
        do {
            return try slice.file.bytes(at: slice.range.lowerBound, count: Int(slice.count))
        } catch {
            throw SourceError("\(path): \(error)")
        }
    }
}

/// Why something that is to be imported cannot be read, as a sentence with the remedy.
struct SourceError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
