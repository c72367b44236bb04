/// What a module zip was found to hold.
public struct ModuleZipReport: Sendable {
    /// The sum over all files, to be held against go.sum or a checksum database.
    public let h1: ModuleHash
    /// The sum of the go.mod in the zip, nil when it has none.
    public let goMod: ModuleHash?
    public let entryCount: Int
    /// Bytes of all files together.
    public let unpackedByteCount: Int64
    /// The first oddities that were found; a bounded number.
    public let oddities: [ZipOddity]
    /// Whether any oddity, kept or not, is a hostile one: such a zip must never be taken apart.
    public let isHostile: Bool

    init(module: ModuleIdentity, table: ZipEntryTable, limits: ZipLimits, oddities found: ZipOddities) {
        var oddities = found
        var names = ModuleZipNames(module: module, limits: limits)
        var unpacked: Int64 = 0
        for index in 0..<table.count {
            names.check(table.name(index), unpacked: table.entries[index].unpacked, into: &oddities)
            unpacked += table.entries[index].unpacked
        }
        h1 = table.sum()
        goMod = table.sumOfGoMod(named: names.goModName)
        entryCount = table.count
        unpackedByteCount = unpacked
        self.oddities = oddities.kept
        isHostile = oddities.isHostile
    }
}

/// The outcome of reading a zip as it passes by.
public enum ZipVerdict: Sendable {
    /// The zip means the same to every reader, and this is what it holds.
    case read(ModuleZipReport)
    /// Only a reader of the whole file can tell (`ZipDirectory`); `reason` says why.
    case needsWholeFile(reason: String)
    case refused(ZipRefusal)
}
