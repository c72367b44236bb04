import NIOCore

/// The body of one request: counted by Content-Length or cut into chunks (RFC 9112 sections 6 and 7).
struct BodyParser {
    private enum State {
        case counted(remaining: Int64)
        case chunkSize
        case chunkData(remaining: Int64)
        case chunkEnd
        case trailers
    }

    private var state: State
    private let limits: RequestParser.Limits
    /// Body bytes promised so far by chunk sizes.
    private var total: Int64 = 0
    /// Bytes spent on chunk extensions and trailers so far.
    private var extras = 0
    private var trailerLines = 0
    /// How far behind the reader index no LF was found.
    private var searched = 0

    private static let longestSizeLine = 1024
    private static let mostExtensionBytes = 16 << 10

    init(length: Int64) {
        state = .counted(remaining: length)
        limits = RequestParser.Limits()
    }

    init(chunkedWithin limits: RequestParser.Limits) {
        state = .chunkSize
        self.limits = limits
    }

    static func tooLarge(_ limit: Int64) -> RequestRejection {
        RequestRejection(413, .tooLarge, "The body is larger than \(limit) bytes.")
    }

    mutating func next(_ buffer: inout ByteBuffer) throws(RequestRejection) -> RequestParser.Event? {
        while true {
            switch state {
            case .counted(let remaining):
                if remaining == 0 { return .end }
                guard let part = Self.take(remaining, from: &buffer) else { return nil }
                state = .counted(remaining: remaining - Int64(part.readableBytes))
                return .body(part)
            case .chunkSize:
                guard let line = try line(&buffer, longest: Self.longestSizeLine) else { return nil }
                let size = try chunkSize(line)
                state = size == 0 ? .trailers : .chunkData(remaining: size)
                if size == 0 { extras = 0 }
            case .chunkData(let remaining):
                if remaining == 0 {
                    state = .chunkEnd
                    continue
                }
                guard let part = Self.take(remaining, from: &buffer) else { return nil }
                state = .chunkData(remaining: remaining - Int64(part.readableBytes))
                return .body(part)
            case .chunkEnd:
                guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else {
                    return nil
                }
                guard first == UInt8(ascii: "\r") else { throw Self.badEnd }
                guard let second = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self) else {
                    return nil
                }
                guard second == UInt8(ascii: "\n") else { throw Self.badEnd }
                buffer.moveReaderIndex(forwardBy: 2)
                state = .chunkSize
            case .trailers:
                guard let line = try line(&buffer, longest: limits.headerBytes - extras) else { return nil }
                if line.isEmpty { return .end }
                trailerLines += 1
                guard trailerLines <= limits.headerLines else {
                    throw RequestRejection(431, .tooLarge, "More than \(limits.headerLines) trailer lines.")
                }
                extras += line.count + 2
                let result = line.withUnsafeBytes { bytes in
                    Result { () throws(RequestRejection) in _ = try FieldSection.split(bytes) }
                }
                try result.get()
            }
        }
    }

    private static let badEnd = RequestRejection.malformed("A chunk is longer than its size says.")

    private static func take(_ most: Int64, from buffer: inout ByteBuffer) -> ByteBuffer? {
        let count = Int(min(most, Int64(buffer.readableBytes)))
        return count == 0 ? nil : buffer.readSlice(length: count)
    }

    /// The next line without its CRLF.
    private mutating func line(
        _ buffer: inout ByteBuffer, longest: Int
    ) throws(RequestRejection) -> [UInt8]? {
        let found = buffer.withUnsafeReadableBytes {
            ByteSearch.first(UInt8(ascii: "\n"), in: $0, from: searched)
        }
        guard (found.map { $0 + 1 } ?? buffer.readableBytes) <= longest else {
            if case .trailers = state {
                throw RequestRejection(431, .tooLarge, "The trailers are longer than header lines may be.")
            }
            throw .malformed("A chunk size line is longer than \(longest) bytes.")
        }
        guard let found else {
            searched = buffer.readableBytes
            return nil
        }
        searched = 0
        guard let bytes = buffer.readBytes(length: found + 1), bytes.count >= 2,
            bytes[bytes.count - 2] == UInt8(ascii: "\r")
        else { throw .malformed("A line of a chunked body ends in LF without CR before it.") }
        return [UInt8](bytes.dropLast(2))
    }

    private mutating func chunkSize(_ line: [UInt8]) throws(RequestRejection) -> Int64 {
        var size: Int64 = 0
        var digits = 0
        for byte in line {
            guard let value = ByteClass.hexValue(byte) else { break }
            guard digits < 15 else { throw Self.tooLarge(limits.body) }
            size = size << 4 | Int64(value)
            digits += 1
        }
        let rest = line[digits...]
        guard digits > 0,
            rest.isEmpty || rest.first == UInt8(ascii: ";") || rest.allSatisfy(ByteClass.isWhitespace),
            rest.allSatisfy(ByteClass.isFieldValue)
        else { throw .malformed("A chunk must start with its size in hexadecimal digits.") }
        extras += rest.count
        guard extras <= Self.mostExtensionBytes else {
            throw .malformed(
                "The chunk extensions are longer than \(Self.mostExtensionBytes) bytes together.")
        }
        total += size
        guard total <= limits.body else { throw Self.tooLarge(limits.body) }
        return size
    }
}
