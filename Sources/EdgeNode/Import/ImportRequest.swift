/// What a command asks to be imported.
package struct ImportRequest: Codable, Sendable, Equatable {
    /// A file or folder, absolute, as the process with the store sees it.
    package var path: String
    /// The image's name, where the source does not say it or says another one.
    package var name: String?
    /// Whether content that nothing else is known of may be had by everybody.
    package var isPublic: Bool
    /// Keys trusted for this import, besides those of the configuration.
    package var trusted: [String]

    package init(path: String, name: String? = nil, isPublic: Bool = false, trusted: [String] = []) {
        self.path = path
        self.name = name
        self.isPublic = isPublic
        self.trusted = trusted
    }
}

/// What an import did.
package struct ImportSummary: Codable, Sendable, Equatable {
    /// Lines kept of each kind at most; the counts go on.
    static let maximumLines = 1000

    /// What was imported, in words: "a bundle of edgenode-ed25519:...".
    package var source = ""
    /// Objects that came in, and their bytes.
    package var stored = 0
    package var storedBytes: Int64 = 0
    /// Objects that were there before.
    package var held = 0
    /// Modules' files that no checksum database record is at hand for.
    package var unverified = 0
    /// Files whose sums are what later ones will be held against.
    package var pinned: [String] = []
    package var pinnedCount = 0
    /// What was not taken, a line each with the reason.
    package var refused: [String] = []
    package var refusedCount = 0
    /// What a person should know besides.
    package var notes: [String] = []

    package init() {}

    mutating func refuse(_ line: String) {
        refusedCount += 1
        if refused.count < Self.maximumLines { refused.append(line) }
    }

    mutating func pin(_ name: String) {
        pinnedCount += 1
        if pinned.count < Self.maximumLines { pinned.append(name) }
    }

    mutating func note(_ line: String) {
        if notes.count < Self.maximumLines, !notes.contains(line) { notes.append(line) }
    }
}
