/// The line on which each key of a TOML document stands.
///
/// The parser that reads the values keeps no positions, so this walks the text a second time. It is given
/// only documents that the parser accepted and therefore looks for boundaries, never for mistakes
/// (TOML 1.0.0: "Keys", "Table", "Array of Tables", "Inline Table").
struct TOMLPositions {
    private var lines: [[String]: Int] = [:]

    /// The line, counted from 1, of the key at `path`; an element of an array is named by its index.
    func line(of path: [String]) -> Int? { lines[path] }

    init(scanning text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        var table: [String] = []
        var elements: [[String]: Int] = [:]

        while scanner.skipToStatement() {
            let line = scanner.line
            if scanner.take("[") {
                let isElement = scanner.take("[")
                var path: [String] = []
                for (position, part) in scanner.key(endingAt: "]").enumerated() {
                    if position > 0, let index = elements[path] { path.append(String(index)) }
                    path.append(part)
                }
                if isElement {
                    let index = (elements[path] ?? -1) + 1
                    elements[path] = index
                    if lines[path] == nil { lines[path] = line }
                    path.append(String(index))
                } else if let index = elements[path] {
                    path.append(String(index))
                }
                lines[path] = line
                table = path
                scanner.skipLine()
            } else {
                record(scanner.key(endingAt: "="), at: line, under: table, with: &scanner)
            }
        }
    }

    private mutating func record(
        _ key: [String], at line: Int, under table: [String], with scanner: inout Scanner
    ) {
        for count in 1..<max(key.count, 1) where lines[table + key.prefix(count)] == nil {
            lines[table + key.prefix(count)] = line
        }
        lines[table + key] = line
        value(at: table + key, with: &scanner)
    }

    private mutating func value(at path: [String], with scanner: inout Scanner) {
        scanner.skipBlanks()
        if scanner.take("[") {
            var index = 0
            while scanner.skipToElement(endingAt: "]") {
                lines[path + [String(index)]] = scanner.line
                value(at: path + [String(index)], with: &scanner)
                index += 1
            }
        } else if scanner.take("{") {
            while scanner.skipToElement(endingAt: "}") {
                let line = scanner.line
                record(scanner.key(endingAt: "="), at: line, under: path, with: &scanner)
            }
        } else {
            scanner.skipScalar()
        }
    }
}

/// A cursor over the bytes of a TOML document that counts lines.
private struct Scanner {
    let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance() {
        if current == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    mutating func skipBlanks() {
        while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { advance() }
    }

    mutating func skipLine() {
        while let byte = current, byte != UInt8(ascii: "\n") { advance() }
    }

    /// Moves to the next key or table header; false at the end of the document.
    mutating func skipToStatement() -> Bool {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skipLine()
            default: return true
            }
        }
        return false
    }

    /// Moves to the next element of an array or inline table; false once its end was taken.
    mutating func skipToElement(endingAt end: Unicode.Scalar) -> Bool {
        while skipToStatement() {
            if take(end) { return false }
            if !take(",") { return true }
        }
        return false
    }

    /// The parts of a dotted key, with the character that ends it taken.
    mutating func key(endingAt end: Unicode.Scalar) -> [String] {
        var parts: [String] = []
        while true {
            skipBlanks()
            let start = position
            if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") {
                skipScalar()
                parts.append(String(decoding: bytes[start + 1..<max(start + 1, position - 1)], as: UTF8.self))
            } else {
                while let byte = current, isBareKey(byte) { advance() }
                parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
            }
            skipBlanks()
            if take(end) || !take(".") { return parts }
        }
    }

    private func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Moves past one string, number, date or flag.
    mutating func skipScalar() {
        guard let quote = current, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            while let byte = current, !",]}#\n".utf8.contains(byte) { advance() }
            return
        }
        let isEscaped = quote == UInt8(ascii: "\"")
        let isMultiline = bytes[position...].starts(with: [quote, quote, quote])
        for _ in 0..<(isMultiline ? 3 : 1) { advance() }
        while let byte = current {
            if isEscaped, byte == UInt8(ascii: "\\") {
                advance()
                advance()
            } else if byte == quote, !isMultiline {
                return advance()
            } else if isMultiline, bytes[position...].starts(with: [quote, quote, quote]) {
                // Up to two quotes may stand directly before the closing three.
                while current == quote { advance() }
                return
            } else {
                advance()
            }
        }
    }
}
