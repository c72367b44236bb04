/// What one slash-separated element of a module path or of a file name may look like
/// (golang.org/x/mod/module, `checkElem`).
enum PathElementRules {
    enum Kind {
        /// An element of a module path: letters, digits and `-._~`, no leading dot.
        case modulePath
        /// An element of a file name in a module zip, or a version: also spaces, other letters and more
        /// punctuation.
        case fileName
    }

    /// Why an element is refused.
    enum Violation: Equatable, CustomStringConvertible {
        case empty
        case onlyDots
        case leadingDot
        case trailingDot
        case character(Unicode.Scalar)
        case notUTF8
        case reservedOnWindows(String)
        case shortName

        var description: String {
            switch self {
            case .empty: "an element is empty"
            case .onlyDots: "an element is made of dots only"
            case .leadingDot: "an element begins with a dot"
            case .trailingDot: "an element ends with a dot"
            case .character(let scalar): "the character \(QuotedText(String(scalar))) is not allowed"
            case .notUTF8: "it is not valid UTF-8"
            case .reservedOnWindows(let name): "\"\(name)\" is a reserved file name on Windows"
            case .shortName: "an element ends in a tilde and digits, as a Windows short name does"
            }
        }
    }

    /// The first rule that `element` breaks, or nil when it is allowed.
    static func violation(in element: ArraySlice<UInt8>, kind: Kind) -> Violation? {
        guard let first = element.first, let last = element.last else { return .empty }
        if element.allSatisfy({ $0 == UInt8(ascii: ".") }) { return .onlyDots }
        if kind == .modulePath, first == UInt8(ascii: ".") { return .leadingDot }
        if last == UInt8(ascii: ".") { return .trailingDot }
        if let violation = characterViolation(in: element, kind: kind) { return violation }

        let stem = element.prefix { $0 != UInt8(ascii: ".") }
        if isReservedOnWindows(stem) { return .reservedOnWindows(String(decoding: stem, as: UTF8.self)) }
        if kind == .modulePath, let tilde = stem.lastIndex(of: UInt8(ascii: "~")) {
            let suffix = stem[(tilde + 1)...]
            if !suffix.isEmpty, suffix.allSatisfy(ASCII.isDigit) { return .shortName }
        }
        return nil
    }

    private static func characterViolation(in element: ArraySlice<UInt8>, kind: Kind) -> Violation? {
        guard let foreign = element.first(where: { !allows($0, kind: kind) }) else { return nil }
        if foreign < 0x80 { return .character(Unicode.Scalar(foreign)) }
        guard let text = String(validating: element, as: UTF8.self) else { return .notUTF8 }
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                if !allows(UInt8(scalar.value), kind: kind) { return .character(scalar) }
            } else if kind == .modulePath || !isLetter(scalar) {
                return .character(scalar)
            }
        }
        return nil
    }

    private static func allows(_ byte: UInt8, kind: Kind) -> Bool {
        if ASCII.isAlphanumeric(byte) { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "="),
            UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "^"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: " "):
            return kind == .fileName
        default: return false
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    private static func isReservedOnWindows(_ stem: ArraySlice<UInt8>) -> Bool {
        guard stem.count == 3 || stem.count == 4 else { return false }
        let name = String(decoding: stem.map(ASCII.lowercased), as: UTF8.self)
        switch name {
        case "con", "prn", "aux", "nul": return true
        default:
            guard name.hasPrefix("com") || name.hasPrefix("lpt"), let digit = stem.last, stem.count == 4
            else {
                return false
            }
            return digit >= UInt8(ascii: "1") && digit <= UInt8(ascii: "9")
        }
    }
}

/// Character classes of ASCII bytes.
enum ASCII {
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    static func isLower(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7a }
    static func isUpper(_ byte: UInt8) -> Bool { byte >= 0x41 && byte <= 0x5a }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLower(byte) || isUpper(byte) }
    static func lowercased(_ byte: UInt8) -> UInt8 { isUpper(byte) ? byte + 0x20 : byte }
}
