/// The header lines of one request while they are read, and what they say about framing and connection.
struct FieldSection {
    private(set) var fields: [Headers.Field] = []
    private var known: KnownFields = []
    private var contentLength: Int64?
    private var coding = Coding.none
    private var closes = false
    private var expectsContinue = false

    private enum Coding { case none, chunked, unsupported }

    /// Takes one line without its CRLF. `offset` is where the line starts in the bytes that the finished
    /// headers will hold.
    mutating func add(
        _ line: UnsafeRawBufferPointer, at offset: Int, limit: Int
    ) throws(RequestRejection) {
        let (colon, value) = try Self.split(line)
        guard fields.count < limit else {
            throw RequestRejection(431, .tooLarge, "More than \(limit) header lines.")
        }
        if fields.isEmpty { fields.reserveCapacity(8) }
        fields.append(
            Headers.Field(
                nameStart: UInt32(offset), nameEnd: UInt32(offset + colon),
                valueStart: UInt32(offset + value.lowerBound), valueEnd: UInt32(offset + value.upperBound)))
        let field = KnownFields(name: line[..<colon])
        if !field.isEmpty {
            try note(field, UnsafeRawBufferPointer(rebasing: line[value]))
            known.formUnion(field)
        }
    }

    /// Checks a field line (RFC 9112 section 5): no folding, no space before the colon, no control
    /// characters. Gives the colon's place and the value's without the whitespace around it.
    static func split(_ line: UnsafeRawBufferPointer) throws(RequestRejection) -> (
        colon: Int, value: Range<Int>
    ) {
        guard let first = line.first, !ByteClass.isWhitespace(first) else {
            throw .malformed("A header line starts with whitespace: folded lines are not accepted.")
        }
        var colon = 0
        while colon < line.count, ByteClass.isToken(line[colon]) { colon += 1 }
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
            throw .malformed("A header line must be a name of token characters, a colon and a value.")
        }
        var start = colon + 1
        var end = line.count
        while start < end, ByteClass.isWhitespace(line[start]) { start += 1 }
        while end > start, ByteClass.isWhitespace(line[end - 1]) { end -= 1 }
        for index in start..<end where !ByteClass.isFieldValue(line[index]) {
            throw .malformed("A header value holds a control character.")
        }
        return (colon, start..<end)
    }

    private mutating func note(
        _ field: KnownFields, _ value: UnsafeRawBufferPointer
    ) throws(RequestRejection) {
        switch field {
        case .host:
            guard !known.contains(.host) else { throw .malformed("More than one Host header.") }
            guard HostField.isValid(value) else { throw .malformed("The Host header names no valid host.") }
        case .contentLength:
            guard !known.contains(.contentLength) else {
                throw .malformed("More than one Content-Length header.")
            }
            guard let length = DecimalNumber.parse(value) else {
                throw .malformed("Content-Length must be one decimal number.")
            }
            contentLength = length
        case .transferEncoding:
            for item in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
                let name = item.trimming(while: ByteClass.isWhitespace)
                if name.isEmpty { continue }
                guard coding != .chunked else {
                    throw .malformed("chunked must be the last transfer coding.")
                }
                let chunked = name.elementsEqual("chunked".utf8) { ByteClass.lowercased($0) == $1 }
                coding = chunked && coding == .none ? .chunked : .unsupported
            }
            if coding == .none { throw .malformed("Transfer-Encoding is empty.") }
        case .connection:
            for item in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
                let name = item.trimming(while: ByteClass.isWhitespace)
                if name.elementsEqual("close".utf8, by: { ByteClass.lowercased($0) == $1 }) { closes = true }
            }
        case .expect:
            guard value.elementsEqual("100-continue".utf8, by: { ByteClass.lowercased($0) == $1 }) else {
                throw RequestRejection(417, .unsupported, "Only Expect: 100-continue is known here.")
            }
            expectsContinue = true
        default: break
        }
    }

    /// The head, once the empty line was read. `wire` holds the lines that were added.
    consuming func finish(line: RequestLine, wire: [UInt8]) throws(RequestRejection) -> RequestHead {
        let isCurrent = line.minorVersion >= 1
        if isCurrent, !known.contains(.host) { throw .malformed("The Host header is missing.") }
        var body = RequestHead.Body.none
        if known.contains(.transferEncoding) {
            guard isCurrent else { throw .malformed("HTTP/1.0 has no Transfer-Encoding.") }
            guard contentLength == nil else {
                throw .malformed("Both Transfer-Encoding and Content-Length are given.")
            }
            guard coding == .chunked else {
                throw RequestRejection(501, .unsupported, "Only the transfer coding chunked is known here.")
            }
            body = .chunked
        } else if let contentLength, contentLength > 0 {
            body = .length(contentLength)
        }
        return RequestHead(
            method: line.method, target: line.target, query: line.query,
            headers: Headers(wire: wire, fields: fields, known: known), minorVersion: line.minorVersion,
            keepAlive: isCurrent && !closes, expectsContinue: isCurrent && expectsContinue && body != .none,
            body: body)
    }
}

/// The value of a Host field: a host with an optional port (RFC 9110 section 7.2).
enum HostField {
    static func isValid(_ value: UnsafeRawBufferPointer) -> Bool {
        guard !value.isEmpty, value.allSatisfy(ByteClass.isHost) else { return false }
        var rest = value[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")), end > 1 else { return false }
            let inner = rest[1..<end]
            guard inner.allSatisfy({ ByteClass.hexValue($0) != nil || $0 == 0x3A || $0 == 0x2E }) else {
                return false
            }
            rest = rest[(end + 1)...]
            if rest.isEmpty { return true }
            guard rest.first == UInt8(ascii: ":") else { return false }
        } else {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            let name = rest[..<end]
            guard !name.isEmpty, !name.contains(UInt8(ascii: "[")), !name.contains(UInt8(ascii: "]")) else {
                return false
            }
            rest = rest[end...]
            if rest.isEmpty { return true }
        }
        let port = rest.dropFirst()
        return port.count <= 5 && port.allSatisfy(ByteClass.isDigit)
    }
}
