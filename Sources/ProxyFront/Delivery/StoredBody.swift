import ChunkStore
import Content
import NIOCore
import Synchronization

/// Answers with a blob that the store holds, in whichever form it holds it.
enum StoredBody {
    static func response(_ object: StoredObject, headers: Headers, request: Request) -> Response {
        switch object.body {
        case .bytes(let bytes):
            return Response(status: .ok, headers: headers, body: .array(bytes), servedFrom: .local)
        case .file(let file):
            return Response(
                status: .ok, headers: headers, body: .file(FileSlice(file: file, range: 0..<object.size)),
                servedFrom: .local)
        case .recipe(let reader):
            return streamed(size: object.size, headers: headers, request: request, source: .local) { range in
                RecipeBody(reader, range: range)
            }
        }
    }

    /// A body that is made while it is sent, or the one range of it that was asked for. Several ranges at
    /// once are answered with the whole.
    static func streamed(
        size: Int64?, headers: Headers, request: Request, source: Response.Source,
        body: (Range<Int64>?) -> any BodyProducer
    ) -> Response {
        var headers = headers
        guard let size else {
            return Response(
                status: .ok, headers: headers, body: .stream(length: nil, body(nil)), servedFrom: source)
        }
        headers["Accept-Ranges"] = "bytes"
        if let wanted = wantedRange(request, headers: headers) {
            switch wanted.resolve(length: size) {
            case .ranges(let ranges) where ranges.count == 1:
                let range = ranges[0]
                headers["Content-Range"] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
                return Response(
                    status: .partialContent, headers: headers,
                    body: .stream(length: range.upperBound - range.lowerBound, body(range)),
                    servedFrom: source)
            case .unsatisfiable:
                var refusal = Response.text(.rangeNotSatisfiable, "the body has \(size) bytes")
                refusal.headers["Content-Range"] = "bytes */\(size)"
                return refusal
            case .ranges, .whole: break
            }
        }
        return Response(
            status: .ok, headers: headers, body: .stream(length: size, body(nil)), servedFrom: source)
    }

    /// The range that a GET asks for, its condition being met.
    static func wantedRange(_ request: Request, headers: Headers) -> RangeRequest? {
        guard request.method == .get, let text = request.headers["Range"],
            Conditions.rangeApplies(request: request.headers, answer: headers)
        else { return nil }
        return RangeRequest(text)
    }
}

/// A folded blob, rebuilt as it is read.
final class RecipeBody: BodyProducer {
    private static let block: Int64 = 256 * 1024

    private let reader: any RecipeReader
    private let end: Int64
    private let position: Mutex<Int64>

    init(_ reader: any RecipeReader, range: Range<Int64>?) {
        self.reader = reader
        end = range?.upperBound ?? reader.size
        position = Mutex(range?.lowerBound ?? 0)
    }

    func next() async throws -> BodyPart? {
        let start = position.withLock { $0 }
        guard start < end else { return nil }
        let bytes = try await reader.read(start..<min(end, start + Self.block))
        position.withLock { $0 = start + Int64(bytes.count) }
        return .bytes(ByteBuffer(bytes: bytes))
    }

    func cancelled() {}
}
