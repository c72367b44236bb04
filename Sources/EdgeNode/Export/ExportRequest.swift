/// What a command asks to be put into a bundle.
package struct ExportRequest: Codable, Sendable, Equatable {
    /// As people write them: `nginx:1.27`, `quay.io/team/app@sha256:...`.
    package var images: [String]
    /// `module@version`: all that there is of it.
    package var modules: [String]
    /// `module@version` of which only the go.mod is wanted, as in a go.sum.
    package var modFiles: [String]
    /// Of an index, the manifests for these; empty = all that are held.
    package var platforms: [String]
    package var includesPrivate: Bool
    /// Leave out silently what is not held, instead of refusing.
    package var isIncomplete: Bool
    /// A file that lists what the target holds; absolute, as the process with the store sees it.
    package var inventory: String?

    package init(
        images: [String] = [], modules: [String] = [], modFiles: [String] = [], platforms: [String] = [],
        includesPrivate: Bool = false, isIncomplete: Bool = false, inventory: String? = nil
    ) {
        self.images = images
        self.modules = modules
        self.modFiles = modFiles
        self.platforms = platforms
        self.includesPrivate = includesPrivate
        self.isIncomplete = isIncomplete
        self.inventory = inventory
    }
}

/// What a bundle would hold.
package struct ExportSummary: Codable, Sendable, Equatable {
    package var objects = 0
    package var bytes: Int64 = 0
    /// Objects that the inventory lists, and their bytes.
    package var leftOut = 0
    package var leftOutBytes: Int64 = 0
    /// Why there is no bundle, a line for each thing that is lacking or private.
    package var refused: [String] = []
    package var notes: [String] = []

    package init() {}
}
