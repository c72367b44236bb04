import Content

/// The files of a tar archive, read where they stand.
struct TarTree: SourceTree {
    private let file: OpenFile
    private let index: TarIndex
    let paths: [String]

    /// Reads the archive's headers; blocks.
    init(_ file: OpenFile, shown: String) throws(SourceError) {
        self.file = file
        do {
            index = try TarIndex(byteCount: file.byteCount) { try file.bytes(at: $0, count: $1) }
        } catch {
            throw SourceError("\(shown): \(error)")
        }
        let index = index
        paths = index.entries.keys.filter { index.file($0) != nil }.sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
    }

    func file(_ path: String) throws(SourceError) -> FileSlice? {
        index.file(path).map { FileSlice(file: file, range: $0) }
    }
}
