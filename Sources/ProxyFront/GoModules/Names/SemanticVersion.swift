/// The parts of a version in the go command's dialect of semantic versioning: a leading `v`, and `vX` and
/// `vX.Y` as short forms (golang.org/x/mod/semver).
struct SemanticVersion {
    let major: Substring.UTF8View
    let minor: Substring.UTF8View
    let patch: Substring.UTF8View
    /// With its leading dash; empty when there is none.
    let prerelease: Substring.UTF8View
    /// With its leading plus; empty when there is none.
    let build: Substring.UTF8View
    /// Whether minor and patch were both written out.
    let isComplete: Bool

    /// Nil when `text` is not a semantic version.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text).utf8
        let zero = ("0" as Substring).utf8
        guard rest.popFirst() == UInt8(ascii: "v"), let major = Self.takeNumber(&rest) else { return nil }
        self.major = major
        var minor = zero
        var patch = zero
        var written = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            guard let number = Self.takeNumber(&rest) else { return nil }
            minor = number
            written = 1
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                guard let number = Self.takeNumber(&rest) else { return nil }
                patch = number
                written = 2
            }
        }
        self.minor = minor
        self.patch = patch
        isComplete = written == 2
        let none = rest[rest.endIndex...]
        guard written == 2 else {
            guard rest.isEmpty else { return nil }
            prerelease = none
            build = none
            return
        }
        if rest.first == UInt8(ascii: "-") {
            let end = rest.firstIndex(of: UInt8(ascii: "+")) ?? rest.endIndex
            prerelease = rest[..<end]
            rest = rest[end...]
            guard Self.areIdentifiers(prerelease.dropFirst(), numbersAreStrict: true) else { return nil }
        } else {
            prerelease = none
        }
        build = rest
        guard
            build.isEmpty
                || build.first == UInt8(ascii: "+")
                    && Self.areIdentifiers(build.dropFirst(), numbersAreStrict: false)
        else { return nil }
    }

    var isIncompatible: Bool { build.elementsEqual("+incompatible".utf8) }

    /// Precedence by the specification (semver.org, item 11): build metadata does not count.
    static func compare(_ left: SemanticVersion, _ right: SemanticVersion) -> Int {
        for (a, b) in [(left.major, right.major), (left.minor, right.minor), (left.patch, right.patch)] {
            let order = compareNumbers(a, b)
            if order != 0 { return order }
        }
        return comparePrereleases(left.prerelease, right.prerelease)
    }

    private static func takeNumber(_ rest: inout Substring.UTF8View) -> Substring.UTF8View? {
        let digits = rest.prefix(while: ASCII.isDigit)
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        rest = rest[digits.endIndex...]
        return digits
    }

    private static func areIdentifiers(_ text: Substring.UTF8View, numbersAreStrict: Bool) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { identifier in
            guard !identifier.isEmpty,
                identifier.allSatisfy({ ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") })
            else { return false }
            let hasLeadingZero = identifier.count > 1 && identifier.first == UInt8(ascii: "0")
            return !(numbersAreStrict && hasLeadingZero && identifier.allSatisfy(ASCII.isDigit))
        }
    }

    private static func compareNumbers(_ left: Substring.UTF8View, _ right: Substring.UTF8View) -> Int {
        if left.count != right.count { return left.count < right.count ? -1 : 1 }
        return compareBytes(left, right)
    }

    private static func compareBytes(_ left: Substring.UTF8View, _ right: Substring.UTF8View) -> Int {
        if left.lexicographicallyPrecedes(right) { return -1 }
        return right.lexicographicallyPrecedes(left) ? 1 : 0
    }

    private static func comparePrereleases(_ left: Substring.UTF8View, _ right: Substring.UTF8View) -> Int {
        if left.isEmpty || right.isEmpty {
            if left.isEmpty && right.isEmpty { return 0 }
            return left.isEmpty ? 1 : -1
        }
        let lefts = left.dropFirst().split(separator: UInt8(ascii: "."))
        let rights = right.dropFirst().split(separator: UInt8(ascii: "."))
        for (a, b) in zip(lefts, rights) where !a.elementsEqual(b) {
            let aIsNumber = a.allSatisfy(ASCII.isDigit)
            let bIsNumber = b.allSatisfy(ASCII.isDigit)
            if aIsNumber != bIsNumber { return aIsNumber ? -1 : 1 }
            return aIsNumber ? compareNumbers(a, b) : compareBytes(a, b)
        }
        if lefts.count == rights.count { return 0 }
        return lefts.count < rights.count ? -1 : 1
    }
}
