/// A shell pattern over the leading elements of a path, as in GOPRIVATE: a pattern of three elements is
/// held against the path's first three (golang.org/x/mod/module, `MatchPrefixPatterns`; Go's `path.Match`).
///
/// `*` stands for any run within an element, `?` for one character, `[a-z]` and `[^a-z]` for one of a class,
/// and a backslash takes the next character literally.
struct GlobPattern: Hashable, Sendable {
    private enum Token: Hashable {
        case literal(UInt8)
        case anyCharacter
        case anyRun
        case characters(ranges: [ClosedRange<UInt8>], negated: Bool)
    }

    /// One list of tokens an element.
    private let elements: [[Token]]

    /// - Throws: `PatternSyntaxError` saying what is wrong with the pattern.
    init(_ text: some StringProtocol) throws(PatternSyntaxError) {
        var bytes = Array(text.utf8)[...]
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw PatternSyntaxError("paths are visible ASCII, so it can never match")
        }
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard !bytes.isEmpty else { throw PatternSyntaxError("it is empty") }
        var elements: [[Token]] = [[]]
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "/"): elements.append([])
            case UInt8(ascii: "*"): elements[elements.count - 1].append(.anyRun)
            case UInt8(ascii: "?"): elements[elements.count - 1].append(.anyCharacter)
            case UInt8(ascii: "["): elements[elements.count - 1].append(try Self.takeClass(&bytes))
            case UInt8(ascii: "\\"):
                guard let next = bytes.popFirst(), next != UInt8(ascii: "/") else {
                    throw PatternSyntaxError("nothing follows its backslash")
                }
                elements[elements.count - 1].append(.literal(next))
            default: elements[elements.count - 1].append(.literal(byte))
            }
        }
        self.elements = elements
    }

    /// - Parameter path: elements separated by slashes.
    func matches(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: elements.count)
        guard parts.count >= elements.count else { return false }
        return zip(elements, parts).allSatisfy { Self.matches($0, Array($1)) }
    }

    private static func matches(_ tokens: [Token], _ text: [UInt8]) -> Bool {
        var token = 0
        var position = 0
        // Where to go on when a token fails: after the last run, one character further on.
        var retry: (token: Int, position: Int)?
        while position < text.count {
            if token < tokens.count, tokens[token] == .anyRun {
                retry = (token + 1, position)
                token += 1
            } else if token < tokens.count, matches(tokens[token], text[position]) {
                token += 1
                position += 1
            } else if let last = retry {
                token = last.token
                position = last.position + 1
                retry = (last.token, position)
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .anyRun }
    }

    private static func matches(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .literal(let expected): byte == expected
        case .anyCharacter, .anyRun: true
        case .characters(let ranges, let negated): ranges.contains { $0.contains(byte) } != negated
        }
    }

    private static func takeClass(_ bytes: inout ArraySlice<UInt8>) throws(PatternSyntaxError) -> Token {
        var negated = false
        if bytes.first == UInt8(ascii: "^") {
            negated = true
            bytes.removeFirst()
        }
        var ranges: [ClosedRange<UInt8>] = []
        while let next = bytes.first {
            if next == UInt8(ascii: "]"), !ranges.isEmpty {
                bytes.removeFirst()
                return .characters(ranges: ranges, negated: negated)
            }
            let low = try takeClassMember(&bytes)
            var high = low
            if bytes.first == UInt8(ascii: "-") {
                bytes.removeFirst()
                high = try takeClassMember(&bytes)
            }
            guard low <= high else { throw PatternSyntaxError("a range in its [...] runs backwards") }
            ranges.append(low...high)
        }
        throw PatternSyntaxError("its [...] is not closed")
    }

    private static func takeClassMember(_ bytes: inout ArraySlice<UInt8>) throws(PatternSyntaxError) -> UInt8
    {
        guard var member = bytes.popFirst(), member != UInt8(ascii: "-"), member != UInt8(ascii: "]") else {
            throw PatternSyntaxError("its [...] lacks a character where one must stand")
        }
        if member == UInt8(ascii: "\\") {
            guard let literal = bytes.popFirst() else {
                throw PatternSyntaxError("nothing follows its backslash")
            }
            member = literal
        }
        guard member != UInt8(ascii: "/") else {
            throw PatternSyntaxError("its [...] holds a slash, which no path element does")
        }
        return member
    }
}

/// What is wrong with a pattern, without naming it.
struct PatternSyntaxError: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}
