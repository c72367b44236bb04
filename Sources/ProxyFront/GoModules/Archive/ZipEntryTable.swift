/// What is known of a zip's entries, kept in a few flat arrays so that the many entries of a large zip cost
/// little.
struct ZipEntryTable: Sendable {
    struct Entry: Sendable {
        let nameRange: Range<Int>
        let flags: UInt16
        let method: UInt16
        let crc: UInt32
        let packed: Int64
        let unpacked: Int64
        /// Where the entry's local header begins in the file.
        let offset: Int64
    }

    private(set) var entries: [Entry] = []
    private var names: [UInt8] = []
    /// 32 bytes an entry, in the order of `entries`; may lag behind it.
    private var digests: [UInt8] = []

    var count: Int { entries.count }
    var nameByteCount: Int { names.count }

    func name(_ index: Int) -> ArraySlice<UInt8> { names[entries[index].nameRange] }
    func digest(_ index: Int) -> ArraySlice<UInt8> { digests[(index * 32)..<(index * 32 + 32)] }

    mutating func append(
        name: some Collection<UInt8>, flags: UInt16, method: UInt16, crc: UInt32, packed: Int64,
        unpacked: Int64,
        offset: Int64
    ) {
        let start = names.count
        names += name
        entries.append(
            Entry(
                nameRange: start..<names.count, flags: flags, method: method, crc: crc, packed: packed,
                unpacked: unpacked, offset: offset))
    }

    /// Gives the SHA-256 of the contents of the first entry that has none yet.
    mutating func append(digest: some Sequence<UInt8>) { digests += digest }

    /// The h1 of the files. Of several entries of one name the last one's contents count for all, as in
    /// the reference implementation.
    func sum() -> ModuleHash {
        let order = (0..<count).sorted { left, right in
            let (a, b) = (name(left), name(right))
            return a.elementsEqual(b) ? left < right : a.lexicographicallyPrecedes(b)
        }
        var files: [(name: [UInt8], digest: [UInt8])] = []
        files.reserveCapacity(count)
        for index in order.reversed() {
            let name = Array(name(index))
            let isRepeated = files.last.map { $0.name == name } ?? false
            files.append((name, isRepeated ? files[files.count - 1].digest : Array(digest(index))))
        }
        return ModuleHash(files: files)
    }

    /// The sum of the one file of that name; nil when there is none or more than one.
    func sumOfGoMod(named path: [UInt8]) -> ModuleHash? {
        let found = entries.indices.filter { name($0).elementsEqual(path) }
        guard found.count == 1 else { return nil }
        return ModuleHash(files: [(name: Array("go.mod".utf8), digest: Array(digest(found[0])))])
    }
}
