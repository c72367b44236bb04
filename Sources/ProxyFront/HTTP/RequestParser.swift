import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// A strict incremental parser of HTTP/1.x requests (RFC 9112), a value without any I/O.
///
/// Give it the bytes as they come: what it says depends on the bytes alone, never on where they were cut.
/// Lines end in CRLF, a lone CR or LF is refused; so are folded lines, repeated or doubtful framing and
/// whatever else two parsers could read in two ways (request smuggling).
package struct RequestParser: Sendable {
    package struct Limits: Sendable {
        /// Longest request line in bytes; longer is 414.
        package var requestLine = 16 << 10
        /// Most bytes in all header lines together, and in the trailers; more is 431.
        package var headerBytes = 32 << 10
        /// Most header lines; more is 431.
        package var headerLines = 100
        /// Largest body in bytes; more is 413.
        package var body: Int64 = 64 << 10

        package init() {}
    }

    package enum Event: Sendable, Equatable {
        /// A request without a body is complete with its head.
        case head(RequestHead)
        /// A part of the body.
        case body(ByteBuffer)
        /// The end of a body.
        case end
    }

    private enum State {
        case requestLine
        case fields
        case body(BodyParser)
        case failed(RequestRejection)
    }

    private let limits: Limits
    private var state = State.requestLine
    /// What has been read of the head so far; kept apart from the state so that it is changed in place.
    private var requestLine: RequestLine?
    private var section = FieldSection()
    /// All three count from the buffer's reader index; the head is consumed only as a whole.
    private var lineStart = 0
    private var searched = 0
    private var fieldsStart = 0
    /// The header lines of the request before: a client sends the same ones again and again.
    private var previous: (section: FieldSection, wire: [UInt8])?
    /// Longer header lines are not kept for comparison, in bytes.
    private static let keptHeader = 1024

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether nothing of a next request has been read: between requests, and before the first.
    package var isBetweenRequests: Bool {
        if case .requestLine = state { return true }
        return false
    }

    /// Takes the next event off the front of `buffer`; nil when more bytes are needed. The same buffer must be
    /// given again, with the new bytes behind what this call left in it.
    ///
    /// - Throws: what is wrong with the request. The parser stays failed: it throws the same ever after.
    package mutating func next(_ buffer: inout ByteBuffer) throws(RequestRejection) -> Event? {
        switch state {
        case .failed(let rejection): throw rejection
        case .requestLine, .fields:
            do throws(RequestRejection) {
                guard let (head, length) = try parseHead(buffer) else { return nil }
                buffer.moveReaderIndex(forwardBy: length)
                lineStart = 0
                searched = 0
                switch head.body {
                case .none: state = .requestLine
                case .length(let count):
                    guard count <= limits.body else { throw BodyParser.tooLarge(limits.body) }
                    state = .body(BodyParser(length: count))
                case .chunked: state = .body(BodyParser(chunkedWithin: limits))
                }
                return .head(head)
            } catch {
                throw fail(error)
            }
        case .body(var body):
            do throws(RequestRejection) {
                let event = try body.next(&buffer)
                if case .end = event { state = .requestLine } else { state = .body(body) }
                return event
            } catch {
                throw fail(error)
            }
        }
    }

    private mutating func fail(_ rejection: RequestRejection) -> RequestRejection {
        state = .failed(rejection)
        return rejection
    }

    private mutating func parseHead(
        _ buffer: ByteBuffer
    ) throws(RequestRejection) -> (head: RequestHead, length: Int)? {
        // A typed throw does not pass through the closure's rethrows, a Result does.
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(RequestRejection) in try self.parseHead(bytes) }
        }
        return try result.get()
    }

    private mutating func parseHead(
        _ bytes: UnsafeRawBufferPointer
    ) throws(RequestRejection) -> (head: RequestHead, length: Int)? {
        while true {
            if case .requestLine = state { try checkFirstByte(bytes) }
            let lineFeed = ByteSearch.first(UInt8(ascii: "\n"), in: bytes, from: searched)
            try checkLength(end: lineFeed.map { $0 + 1 } ?? bytes.count)
            guard let lineFeed else {
                searched = bytes.count
                return nil
            }
            guard lineFeed > lineStart, bytes[lineFeed - 1] == UInt8(ascii: "\r") else {
                throw .malformed("A line ends in LF without CR before it.")
            }
            let line = UnsafeRawBufferPointer(rebasing: bytes[lineStart..<lineFeed - 1])
            let start = lineStart
            lineStart = lineFeed + 1
            searched = lineStart
            switch state {
            case .requestLine:
                // RFC 9112 section 2.2: empty lines before a request line are passed over.
                if line.isEmpty { continue }
                requestLine = try RequestLine(parsing: line)
                state = .fields
                fieldsStart = lineStart
                if let repeated = try repeatedHead(bytes) { return repeated }
            case .fields:
                if line.isEmpty {
                    guard let requestLine = requestLine.take() else {
                        preconditionFailure("fields follow a request line")
                    }
                    let done = section
                    section = FieldSection()
                    let wire = [UInt8](bytes[fieldsStart..<start])
                    previous = wire.count <= Self.keptHeader ? (done, wire) : nil
                    return (try done.finish(line: requestLine, wire: wire), lineStart)
                }
                try section.add(line, at: start - fieldsStart, limit: limits.headerLines)
            case .body, .failed: preconditionFailure("a head is parsed only where one is expected")
            }
        }
    }

    /// The whole head, when its header lines are byte for byte those of the request before.
    private mutating func repeatedHead(
        _ bytes: UnsafeRawBufferPointer
    ) throws(RequestRejection) -> (head: RequestHead, length: Int)? {
        guard let (section, wire) = previous else { return nil }
        let end = fieldsStart + wire.count
        guard bytes.count >= end + 2, bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n"),
            let start = bytes.baseAddress?.advanced(by: fieldsStart),
            wire.withUnsafeBytes({ $0.baseAddress.map { memcmp($0, start, wire.count) == 0 } ?? true })
        else { return nil }
        guard let line = requestLine.take() else { preconditionFailure("fields follow a request line") }
        return (try section.finish(line: line, wire: wire), end + 2)
    }

    /// Most bytes of empty lines before a request line.
    private static let emptyPrefix = 64

    /// Garbage is refused at its first byte, so that a client that speaks something else (TLS, for one) is
    /// told so without waiting for a line's end that never comes.
    private func checkFirstByte(_ bytes: UnsafeRawBufferPointer) throws(RequestRejection) {
        guard lineStart < bytes.count else { return }
        let first = bytes[lineStart]
        if ByteClass.isToken(first) { return }
        if first == 0x16 { throw .malformed("TLS was spoken to a port that speaks plain HTTP.") }
        let isEmptyLine =
            first == UInt8(ascii: "\r")
            && (lineStart + 1 == bytes.count || bytes[lineStart + 1] == UInt8(ascii: "\n"))
        guard isEmptyLine, lineStart < Self.emptyPrefix else {
            throw .malformed("What came does not start with an HTTP method.")
        }
    }

    /// `end` is the end of the current line, or of what has come of it.
    private func checkLength(end: Int) throws(RequestRejection) {
        switch state {
        case .requestLine where end - lineStart > limits.requestLine:
            throw RequestRejection(
                414, .tooLarge, "The request line is longer than \(limits.requestLine) bytes.")
        case .fields where end - fieldsStart > limits.headerBytes:
            throw RequestRejection(
                431, .tooLarge, "The header lines are longer than \(limits.headerBytes) bytes together.")
        default: return
        }
    }
}
