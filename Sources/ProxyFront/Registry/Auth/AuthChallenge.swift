/// One way to authenticate that a server offers in `WWW-Authenticate` (RFC 9110, section 11.6.1).
package struct AuthChallenge: Sendable, Equatable {
    /// In lower case.
    package let scheme: String
    /// By their names in lower case; the first of each name.
    package let parameters: [String: String]

    package init(scheme: String, parameters: [String: String]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The most bytes of a header line that are read.
    static let lineLimit = 8192

    /// Every challenge of the header's lines, in order; what is malformed ends its line.
    package static func parse(_ lines: [String]) -> [AuthChallenge] {
        lines.flatMap { line -> [AuthChallenge] in
            var reader = Reader(bytes: Array(line.utf8.prefix(lineLimit)))
            return reader.challenges()
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var at = 0

        mutating func challenges() -> [AuthChallenge] {
            var found: [AuthChallenge] = []
            while true {
                skip { $0 == UInt8(ascii: ",") || ByteClass.isWhitespace($0) }
                guard let scheme = token() else { return found }
                var parameters: [String: String] = [:]
                skip(ByteClass.isWhitespace)
                while let (name, value) = parameter() {
                    if parameters[name] == nil { parameters[name] = value }
                    let mark = at
                    skip { $0 == UInt8(ascii: ",") || ByteClass.isWhitespace($0) }
                    // A word without "=" behind the comma is the next challenge's scheme.
                    if !isParameter {
                        at = mark
                        break
                    }
                }
                skipToken68()
                found.append(AuthChallenge(scheme: scheme.lowercased(), parameters: parameters))
            }
        }

        private var isParameter: Bool {
            var copy = self
            guard copy.token() != nil else { return false }
            copy.skip(ByteClass.isWhitespace)
            return copy.peek == UInt8(ascii: "=")
        }

        private mutating func parameter() -> (String, String)? {
            let start = at
            guard let name = token() else { return nil }
            skip(ByteClass.isWhitespace)
            guard peek == UInt8(ascii: "=") else {
                at = start
                return nil
            }
            at += 1
            skip(ByteClass.isWhitespace)
            guard let value = peek == UInt8(ascii: "\"") ? quoted() : token() else {
                at = start
                return nil
            }
            return (name.lowercased(), value)
        }

        private mutating func quoted() -> String? {
            at += 1
            var value: [UInt8] = []
            while let byte = peek {
                at += 1
                if byte == UInt8(ascii: "\"") { return String(validating: value, as: UTF8.self) }
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = peek else { return nil }
                    at += 1
                    value.append(escaped)
                } else {
                    value.append(byte)
                }
            }
            return nil
        }

        private mutating func token() -> String? {
            let start = at
            skip(ByteClass.isToken)
            return at > start ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
        }

        /// What schemes such as Negotiate send in place of parameters.
        private mutating func skipToken68() {
            guard let byte = peek, byte != UInt8(ascii: ",") else { return }
            skip { $0 != UInt8(ascii: ",") }
        }

        private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

        private mutating func skip(_ condition: (UInt8) -> Bool) {
            while let byte = peek, condition(byte) { at += 1 }
        }
    }
}
