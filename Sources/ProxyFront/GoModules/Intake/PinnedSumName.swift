import Content

/// The store's name of a pinned sum, `gosum/<module>@<version>.zip`, and the file that it is of.
package struct PinnedSumName: Hashable, Sendable {
    package let file: ModuleFile
    package let name: ReferenceName

    /// Nil for any other name.
    package init?(_ name: ReferenceName) {
        guard name.text.hasPrefix(PinnedSums.prefix),
            let plain = try? ReferenceName("go/" + name.text.dropFirst(PinnedSums.prefix.count)),
            let file = ModuleFile(plain), file.kind != .info
        else { return nil }
        self.file = file
        self.name = name
    }

    /// The pin of a file; nil for files that have none.
    package init?(of file: ModuleFile) {
        guard file.kind != .info,
            let name = try? ReferenceName(PinnedSums.prefix + file.name.text.dropFirst(3))
        else { return nil }
        self.file = file
        self.name = name
    }
}
