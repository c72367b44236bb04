/// A version that names a commit: `vX.0.0-<time>-<revision>`, `vX.Y.Z-0.<time>-<revision>` or
/// `vX.Y.Z-pre.0.<time>-<revision>` (golang.org/ref/mod, "Pseudo-versions").
public struct PseudoVersion: Hashable, Sendable {
    public let version: ModuleVersion
    /// The commit's time in UTC as fourteen digits, yyyymmddhhmmss; not checked to be a real date.
    public let timestamp: String
    /// The commit's abbreviated name, letters and digits.
    public let revision: String
    /// What stands before the timestamp, without the `.` or `-` that joins them.
    private let stem: String

    /// Nil when `version` is an ordinary version.
    public init?(_ version: ModuleVersion) {
        guard let parts = SemanticVersion(version.text) else { return nil }
        let prerelease = parts.prerelease.dropFirst()
        guard let dash = prerelease.lastIndex(of: UInt8(ascii: "-")) else { return nil }
        let revision = prerelease[prerelease.index(after: dash)...]
        let head = prerelease[..<dash]
        let time = head.suffix(14)
        guard !revision.isEmpty, revision.allSatisfy(ASCII.isAlphanumeric), time.count == 14,
            time.allSatisfy(ASCII.isDigit)
        else { return nil }
        let before = head[..<time.startIndex]
        if before.isEmpty {
            guard parts.minor.elementsEqual("0".utf8), parts.patch.elementsEqual("0".utf8) else { return nil }
        } else {
            guard before.elementsEqual("0.".utf8) || before.reversed().starts(with: ".0.".utf8) else {
                return nil
            }
        }
        self.version = version
        timestamp = String(decoding: time, as: UTF8.self)
        self.revision = String(decoding: revision, as: UTF8.self)
        let numbers = [parts.major, parts.minor, parts.patch].map { String(decoding: $0, as: UTF8.self) }
        let core = "v" + numbers.joined(separator: ".")
        stem = before.isEmpty ? core : core + "-" + String(decoding: before.dropLast(), as: UTF8.self)
    }

    /// The tagged version that the commit descends from, nil when it descends from none.
    ///
    /// - Throws: `ModuleVersionError` for forms that no base can have: `vX.0.0-...+incompatible`, and a
    ///   patch number of zero before `-0.`.
    public func base() throws(ModuleVersionError) -> ModuleVersion? {
        let build = version.isIncompatible ? "+incompatible" : ""
        if stem.hasSuffix("-0"), !stem.dropLast(2).contains("-") {
            let core = stem.dropLast(2)
            let patch = core.utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.reversed()
            guard let previous = Self.decremented(Array(patch)) else {
                throw ModuleVersionError(
                    version: version.text, reason: "the version before it would have a negative patch number")
            }
            return try ModuleVersion(core.dropLast(patch.count) + previous + build)
        }
        if stem.hasSuffix(".0"), stem.contains("-") {
            return try ModuleVersion(stem.dropLast(2) + build)
        }
        guard build.isEmpty else {
            throw ModuleVersionError(
                version: version.text, reason: "it has no base version, so it cannot be +incompatible")
        }
        return nil
    }

    private static func decremented(_ digits: [UInt8]) -> String? {
        var digits = digits
        guard let last = digits.lastIndex(where: { $0 != UInt8(ascii: "0") }) else { return nil }
        digits[last] -= 1
        for index in (last + 1)..<digits.count { digits[index] = UInt8(ascii: "9") }
        if digits.count > 1, digits[0] == UInt8(ascii: "0") { digits.removeFirst() }
        return String(decoding: digits, as: UTF8.self)
    }
}
