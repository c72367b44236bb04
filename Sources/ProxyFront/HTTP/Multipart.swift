import NIOCore

/// Several ranges of one body in one answer: `multipart/byteranges` (RFC 9110 section 14.6).
struct Multipart {
    private(set) var parts: [BodyPart] = []
    private(set) var length: Int64 = 0
    let contentType: String

    /// `boundary` must not occur in the body: random characters see to that.
    init(ranges: [Range<Int64>], of body: Response.Body, contentType: String?, boundary: String) {
        self.contentType = "multipart/byteranges; boundary=\(boundary)"
        let total = body.length ?? 0
        for range in ranges {
            var head = parts.isEmpty ? "" : "\r\n"
            head += "--\(boundary)\r\n"
            if let contentType { head += "Content-Type: \(contentType)\r\n" }
            head += "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)\r\n\r\n"
            append(.bytes(ByteBuffer(string: head)))
            switch body.sliced(range) {
            case .bytes(let buffer): append(.bytes(buffer))
            case .array(let bytes): append(.bytes(ByteBuffer(bytes: bytes)))
            case .file(let slice): append(.file(slice))
            case .none, .stream: preconditionFailure("only sliceable bodies have ranges")
            }
        }
        append(.bytes(ByteBuffer(string: "\r\n--\(boundary)--\r\n")))
    }

    private mutating func append(_ part: BodyPart) {
        length += part.count
        parts.append(part)
    }
}

extension BodyPart {
    /// In bytes.
    var count: Int64 {
        switch self {
        case .bytes(let buffer): Int64(buffer.readableBytes)
        case .file(let slice): slice.count
        }
    }
}
