/// Why a text is not a version of a module.
public struct ModuleVersionError: Error, Equatable, CustomStringConvertible {
    public let version: String
    public let reason: String

    public var description: String { "\(QuotedText(version)) is not a module version: \(reason)" }

    /// The text that an escaped version or query spells.
    static func unescape(_ escaped: ArraySlice<UInt8>) throws(ModuleVersionError) -> String {
        guard let bytes = BangEscaping.unescape(escaped) else {
            throw ModuleVersionError(
                version: String(decoding: escaped.prefix(1000), as: UTF8.self),
                reason: "upper-case letters are written as \"!\" and the lower-case letter, and only they are"
            )
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The canonical version of a module: `v1.2.3`, `v2.0.0+incompatible`, `v0.0.0-20190311183353-d8887717615a`,
/// `v0.0.1-go1.26.6.linux-amd64`.
///
/// Canonical means what golang.org/x/mod/module `CanonicalVersion` leaves unchanged: all three numbers
/// written out and no build metadata but `+incompatible`. A name of this kind never changes its meaning, so
/// files under it are kept for ever.
public struct ModuleVersion: Hashable, Sendable, CustomStringConvertible {
    /// The longest version accepted, in bytes, so that a reference name made of it stays within bounds.
    public static let maximumByteCount = 256

    public let text: String

    public init(_ text: some StringProtocol) throws(ModuleVersionError) {
        func refused(_ reason: String) -> ModuleVersionError {
            ModuleVersionError(version: String(text.prefix(1000)), reason: reason)
        }
        guard text.utf8.count <= Self.maximumByteCount else {
            throw refused("it is longer than \(Self.maximumByteCount) bytes")
        }
        guard let parts = SemanticVersion(text) else { throw refused("it does not read vX.Y.Z") }
        guard parts.isComplete else { throw refused("minor and patch number must be written out") }
        guard parts.build.isEmpty || parts.isIncompatible else {
            throw refused("build metadata other than +incompatible has no place in it")
        }
        if let violation = PathElementRules.violation(in: Array(text.utf8)[...], kind: .fileName) {
            throw refused(violation.description)
        }
        self.text = String(text)
    }

    /// Parses the escaped form of the proxy protocol (`v1.0.0-!r!c1`), after percent-decoding.
    public init(escaped: String) throws(ModuleVersionError) {
        try self.init(escaped: Array(escaped.utf8)[...])
    }

    init(escaped: ArraySlice<UInt8>) throws(ModuleVersionError) {
        try self.init(try ModuleVersionError.unescape(escaped))
    }

    /// The form used in request paths and in checksum databases' lookup names.
    public var escaped: String { BangEscaping.escape(text) }

    public var description: String { text }

    /// `v0`, `v1`, `v2` ...
    public var major: Substring { text.prefix { $0 != "." } }

    public var isIncompatible: Bool { text.hasSuffix("+incompatible") }

    /// Whether the version has a pre-release part; pseudo-versions have one too.
    public var isPrerelease: Bool { SemanticVersion(text)?.prerelease.isEmpty == false }

    /// Whether the version names a commit rather than a tag; such versions are left out of version lists.
    public var isPseudo: Bool { PseudoVersion(self) != nil }
}

extension ModuleVersion: Comparable {
    /// Semantic-version precedence; versions of equal precedence are ordered by their text
    /// (golang.org/x/mod/semver, `Sort`).
    public static func < (left: ModuleVersion, right: ModuleVersion) -> Bool {
        guard let a = SemanticVersion(left.text), let b = SemanticVersion(right.text) else {
            return left.text < right.text
        }
        let order = SemanticVersion.compare(a, b)
        return order == 0 ? left.text < right.text : order < 0
    }
}

/// A module at one version, written `golang.org/x/net@v0.34.0`.
public struct ModuleIdentity: Hashable, Sendable, CustomStringConvertible {
    public let path: ModulePath
    public let version: ModuleVersion

    public init(path: ModulePath, version: ModuleVersion) {
        self.path = path
        self.version = version
    }

    public var description: String { "\(path.text)@\(version.text)" }

    /// The name in a checksum database's lookup path, escaped.
    public var escaped: String { "\(path.escaped)@\(version.escaped)" }
}

extension ModuleIdentity: Comparable {
    public static func < (left: ModuleIdentity, right: ModuleIdentity) -> Bool {
        left.path == right.path ? left.version < right.version : left.path < right.path
    }
}
