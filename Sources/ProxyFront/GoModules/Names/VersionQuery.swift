/// What may stand before `.info` in a request: a canonical version, or a name that a repository resolves, such
/// as a branch, a commit, or a version prefix.
public struct VersionQuery: Hashable, Sendable, CustomStringConvertible {
    /// The plain form.
    public let text: String
    /// The version that the text is, or nil when its meaning may change with time.
    public let version: ModuleVersion?

    /// - Throws: `ModuleVersionError` when `text` could not be one file name, is longer than
    ///   `ModuleVersion.maximumByteCount`, or holds a `!` (golang.org/x/mod/module, `EscapeVersion`).
    public init(_ text: String) throws(ModuleVersionError) {
        func refused(_ reason: String) -> ModuleVersionError {
            ModuleVersionError(version: String(text.prefix(1000)), reason: reason)
        }
        guard text.utf8.count <= ModuleVersion.maximumByteCount else {
            throw refused("it is longer than \(ModuleVersion.maximumByteCount) bytes")
        }
        guard text.utf8.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "!") }) else {
            throw refused("it may hold only ASCII characters, and no \"!\"")
        }
        if let violation = PathElementRules.violation(in: Array(text.utf8)[...], kind: .fileName) {
            throw refused(violation.description)
        }
        self.text = text
        version = try? ModuleVersion(text)
    }

    public init(_ version: ModuleVersion) {
        text = version.text
        self.version = version
    }

    init(escaped: ArraySlice<UInt8>) throws(ModuleVersionError) {
        try self.init(try ModuleVersionError.unescape(escaped))
    }

    private init(unresolved text: String) {
        self.text = text
        version = nil
    }

    /// The query as it means something to `module`. A version of another major line, such as v2.0.0 of a path
    /// without /v2, is none of its versions but a name that its repository resolves, to v2.0.0+incompatible for
    /// instance.
    public func asked(of module: ModulePath) -> VersionQuery {
        guard let version, !module.admits(version) else { return self }
        return VersionQuery(unresolved: text)
    }

    public var escaped: String { BangEscaping.escape(text) }

    public var description: String { text }
}
