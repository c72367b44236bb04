/// Why a text is not a module path.
public struct ModulePathError: Error, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public var description: String { "\(QuotedText(path)) is not a module path: \(reason)" }
}

/// A Go module path such as `golang.org/x/net` or `github.com/BurntSushi/toml/v2`, in its plain form.
///
/// Holds only what golang.org/x/mod/module `CheckPath` accepts, and nothing longer than
/// `maximumByteCount`.
public struct ModulePath: Hashable, Sendable, CustomStringConvertible {
    /// The longest path accepted, in bytes, so that a reference name made of it stays within bounds.
    public static let maximumByteCount = 700

    /// The path of the module that holds Go toolchains; its sums are mandatory for every client.
    public static let toolchain = ModulePath(trusted: "golang.org/toolchain")

    /// The plain path, ASCII only.
    public let text: String

    public init(_ text: String) throws(ModulePathError) {
        if let reason = Self.refusal(of: Array(text.utf8)[...]) {
            throw ModulePathError(path: text, reason: reason)
        }
        self.text = text
    }

    /// Parses the escaped form of the proxy protocol (`github.com/!burnt!sushi/toml`), after
    /// percent-decoding.
    public init(escaped: String) throws(ModulePathError) {
        try self.init(escaped: Array(escaped.utf8)[...])
    }

    init(escaped: ArraySlice<UInt8>) throws(ModulePathError) {
        guard let bytes = BangEscaping.unescape(escaped) else {
            throw ModulePathError(
                path: String(decoding: escaped.prefix(1000), as: UTF8.self),
                reason: "upper-case letters are written as \"!\" and the lower-case letter, and only they are"
            )
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if let reason = Self.refusal(of: bytes[...]) { throw ModulePathError(path: text, reason: reason) }
        self.text = text
    }

    private init(trusted text: String) { self.text = text }

    /// The form used in request paths and in checksum databases' lookup names.
    public var escaped: String { BangEscaping.escape(text) }

    public var description: String { text }

    /// The path's major version suffix with its separator, `/v2` or (for gopkg.in) `.v2`, `.v2-unstable`;
    /// empty when the path has none.
    public var majorSuffix: Substring {
        switch MajorSuffix.split(Array(text.utf8)[...]) {
        case .none, .malformed: ""
        case .suffix(let bytes): text.suffix(bytes.count)
        }
    }

    /// Whether `version` may be a version of this module: `v2.x.y` belongs to `/v2`, other major versions
    /// need `+incompatible` (golang.org/x/mod/module, `CheckPathMajor`).
    public func admits(_ version: ModuleVersion) -> Bool {
        var suffix = majorSuffix
        if suffix.hasPrefix(".v"), suffix.hasSuffix("-unstable") {
            suffix = suffix.dropLast("-unstable".count)
        }
        if suffix == ".v1", version.text.hasPrefix("v0.0.0-") { return true }
        let major = version.major
        guard !suffix.isEmpty else { return major == "v0" || major == "v1" || version.isIncompatible }
        return suffix.dropFirst() == major
    }

    private static func refusal(of path: ArraySlice<UInt8>) -> String? {
        guard let first = path.first else { return "it is empty" }
        guard path.count <= maximumByteCount else { return "it is longer than \(maximumByteCount) bytes" }
        guard first != UInt8(ascii: "-") else { return "it begins with a dash" }
        let elements = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for element in elements {
            if let violation = PathElementRules.violation(in: element, kind: .modulePath) {
                return violation.description
            }
        }
        let host = elements[0]
        guard host.contains(UInt8(ascii: ".")) else { return "its first element has no dot" }
        let isLowerCaseName = host.allSatisfy {
            ASCII.isLower($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        guard isLowerCaseName else {
            return "its first element may hold only lower-case letters, digits, dots and dashes"
        }
        if case .malformed = MajorSuffix.split(path) {
            return "its version suffix must be /v2 or higher without leading zeros (gopkg.in: .v0 or higher)"
        }
        return nil
    }
}

extension ModulePath: Comparable {
    public static func < (left: ModulePath, right: ModulePath) -> Bool { left.text < right.text }
}

/// The part of a module path that names its major version (golang.org/x/mod/module, `SplitPathVersion`).
enum MajorSuffix {
    case none
    case suffix(ArraySlice<UInt8>)
    case malformed

    static func split(_ path: ArraySlice<UInt8>) -> MajorSuffix {
        let isGopkg = path.starts(with: "gopkg.in/".utf8)
        var end = path.endIndex
        if isGopkg, path.reversed().starts(with: "-unstable".utf8.reversed()) {
            end -= "-unstable".utf8.count
        }
        var start = end
        var hasDot = false
        while start > path.startIndex {
            let byte = path[start - 1]
            if byte == UInt8(ascii: "."), !isGopkg { hasDot = true } else if !ASCII.isDigit(byte) { break }
            start -= 1
        }
        let separator = UInt8(ascii: isGopkg ? "." : "/")
        guard start - path.startIndex > 1, path[start - 1] == UInt8(ascii: "v"), path[start - 2] == separator,
            isGopkg || start < path.endIndex
        else { return isGopkg ? .malformed : .none }
        let digits = path[start..<end]
        let suffix = path[(start - 2)...]
        guard let first = digits.first, !hasDot else { return .malformed }
        if isGopkg {
            return first == UInt8(ascii: "0") && suffix.count > 3 ? .malformed : .suffix(suffix)
        }
        if first == UInt8(ascii: "0") || digits.elementsEqual("1".utf8) { return .malformed }
        return .suffix(suffix)
    }
}
