import Content
import NIOCore

/// A response made ready for one request: conditions and ranges applied, framing chosen. A pure decision;
/// sending it is the connection's work.
struct Outgoing {
    enum Framing: Equatable {
        /// Neither length nor body: 204 and 304.
        case none
        case length(Int64)
        case chunked
        /// The body ends with the connection: HTTP/1.0 and no known length.
        case untilClose
    }

    enum Payload {
        case none
        case bytes(ByteBuffer)
        case array([UInt8])
        case parts([BodyPart])
        case stream(any BodyProducer)
    }

    var status: Status
    var headers: Headers
    var framing: Framing
    var payload: Payload
    var acceptsRanges = false
    var contentRange: ContentRange?
    /// A producer that will not be asked: to be told so.
    var unneeded: (any BodyProducer)?

    /// What `Content-Range` says.
    enum ContentRange: Equatable {
        case satisfied(Range<Int64>, length: Int64)
        case unsatisfied(length: Int64)
    }

    init(_ response: Response, for exchange: borrowing Exchange, boundary: String) {
        status = response.status
        headers = response.headers
        framing = .none
        payload = .none
        var body = response.body
        let method = exchange.request.method
        let known = exchange.request.headers.known
        if status.code == 200, method == .get || method == .head {
            if !known.isDisjoint(with: .conditions) {
                switch Conditions.evaluate(request: exchange.request.headers, answer: headers) {
                case .proceed: break
                case .notModified: replace(by: .notModified, dropping: &body)
                case .failed: replace(by: .preconditionFailed, dropping: &body)
                }
            }
            if status.code == 200, body.isSliceable {
                acceptsRanges = !headers.known.contains(.acceptRanges)
                if method == .get, known.contains(.range) {
                    applyRange(exchange.request.headers, to: &body, boundary: boundary)
                }
            }
        }
        frame(body, method, minorVersion: exchange.minorVersion)
    }

    private mutating func replace(by status: Status, dropping body: inout Response.Body) {
        if case .stream(_, let producer) = body { unneeded = producer }
        self.status = status
        body = .none
    }

    private mutating func applyRange(_ request: Headers, to body: inout Response.Body, boundary: String) {
        guard let wanted = request["Range"].flatMap({ RangeRequest($0) }), let length = body.length,
            Conditions.rangeApplies(request: request, answer: headers)
        else { return }
        switch wanted.resolve(length: length) {
        case .whole: return
        case .unsatisfiable:
            status = .rangeNotSatisfiable
            contentRange = .unsatisfied(length: length)
            body = .none
        case .ranges(let ranges):
            status = .partialContent
            acceptsRanges = false
            if ranges.count == 1 {
                contentRange = .satisfied(ranges[0], length: length)
                body = body.sliced(ranges[0])
            } else {
                let multipart = Multipart(
                    ranges: ranges, of: body, contentType: headers["Content-Type"], boundary: boundary)
                headers["Content-Type"] = multipart.contentType
                framing = .length(multipart.length)
                payload = .parts(multipart.parts)
                body = .none
            }
        }
    }

    private mutating func frame(_ body: Response.Body, _ method: HTTPMethod, minorVersion: Int) {
        if !headers.known.isDisjoint(with: .framing) {
            var given = headers
            for name in ["Content-Length", "Transfer-Encoding", "Connection"] { given.remove(name) }
            if method == .head, case .none = body,
                let length = headers["Content-Length"].flatMap({ DecimalNumber.parse($0.utf8) })
            {
                framing = .length(length)
            }
            headers = given
        }
        switch body {
        case .none:
            if framing == .none, !status.forbidsBody { framing = .length(0) }
        case .bytes(let buffer):
            framing = .length(Int64(buffer.readableBytes))
            payload = .bytes(buffer)
        case .array(let bytes):
            framing = .length(Int64(bytes.count))
            payload = .array(bytes)
        case .file(let slice):
            framing = .length(slice.count)
            payload = .parts([.file(slice)])
        case .stream(let length, let producer):
            framing = length.map(Framing.length) ?? (minorVersion >= 1 ? .chunked : .untilClose)
            payload = .stream(producer)
        }
        if method == .head || status.forbidsBody {
            if case .stream(let producer) = payload { unneeded = producer }
            payload = .none
        }
        if status.forbidsBody { framing = .none }
    }
}

extension Response.Body {
    /// Whether the server can cut ranges from it.
    var isSliceable: Bool {
        switch self {
        case .bytes, .array, .file: true
        case .none, .stream: false
        }
    }

    /// The length where it is known.
    var length: Int64? {
        switch self {
        case .none: 0
        case .bytes(let buffer): Int64(buffer.readableBytes)
        case .array(let bytes): Int64(bytes.count)
        case .file(let slice): slice.count
        case .stream(let length, _): length
        }
    }

    /// A range of a sliceable body, in bytes from its start.
    func sliced(_ range: Range<Int64>) -> Response.Body {
        let (start, count) = (Int(range.lowerBound), Int(range.upperBound - range.lowerBound))
        switch self {
        case .bytes(let buffer):
            return buffer.getSlice(at: buffer.readerIndex + start, length: count).map(Response.Body.bytes)
                ?? .none
        case .array(let bytes): return .array(Array(bytes[start..<start + count]))
        case .file(let slice):
            let from = slice.range.lowerBound + range.lowerBound
            return .file(FileSlice(file: slice.file, range: from..<from + Int64(count)))
        case .none, .stream: return self
        }
    }
}
