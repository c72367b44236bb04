import Content
import NIOCore

/// An answer: status, headers and a body that is in memory, in a file, or still being made.
///
/// The server adds `Content-Length` or chunked framing, `Date` and `Connection`, and takes out any of these
/// (but `Date`) that the headers bring. Given `ETag` or `Last-Modified`, it answers conditional requests
/// itself; over `.bytes`, `.array` and `.file` bodies of a 200 it answers `Range` and `HEAD` itself.
public struct Response: Sendable {
    public var status: Status
    public var headers: Headers
    public var body: Body
    /// Where the bytes came from, for the access log and the metrics; nil for what is no content.
    public var servedFrom: Source?

    public enum Body: Sendable {
        /// No bytes. To answer HEAD for a body that is not at hand, set `Content-Length` in the headers:
        /// with this body, and only for HEAD, it is kept.
        case none
        case bytes(ByteBuffer)
        /// Small bytes as the store holds them: copied once, into the write that carries the head.
        case array([UInt8])
        /// Sent by `sendfile` on plain HTTP.
        case file(FileSlice)
        /// Bytes that are pulled as fast as the client takes them. Without a length the body is chunked.
        /// A length is a promise: a producer that ends early or runs over closes the connection.
        case stream(length: Int64?, any BodyProducer)
    }

    /// Where the bytes of an answer came from.
    public enum Source: Int, MetricLabel {
        /// Held by this node when the request came.
        case local
        /// Joined an ingest that another request had started.
        case inFlight
        /// Fetched from another node of the cluster.
        case peer
        /// Fetched from upstream for this request.
        case upstream
    }

    public init(status: Status, headers: Headers = [:], body: Body = .none, servedFrom: Source? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.servedFrom = servedFrom
    }

    /// A short answer for people, `text/plain`, ending in a newline.
    public static func text(_ status: Status, _ text: String, headers: Headers = [:]) -> Response {
        var headers = headers
        headers["Content-Type"] = "text/plain; charset=utf-8"
        headers["X-Content-Type-Options"] = "nosniff"
        let line = text.hasSuffix("\n") ? text : text + "\n"
        return Response(status: status, headers: headers, body: .array(Array(line.utf8)))
    }
}

/// Makes a body part by part, at the pace of its reader.
///
/// `next()` is never called again before it returned. The calls do not run on an event loop and may wait.
public protocol BodyProducer: Sendable {
    /// The next part; nil at the end. Empty parts are skipped. Throwing means that the body cannot be
    /// completed: the connection is closed short of Content-Length (or without the last chunk), so that
    /// no client takes it for whole.
    func next() async throws -> BodyPart?

    /// The body will not be read to its end: the client is gone, asked by HEAD, or had the body already.
    /// Called at most once, on an event loop (must not block), never after `next()` gave nil or threw; it
    /// may come while a `next()` is waiting, whose task is cancelled too.
    func cancelled()
}

/// A piece of a streamed body.
public enum BodyPart: Sendable {
    case bytes(ByteBuffer)
    /// Sent by `sendfile` on plain HTTP; the bytes must be in the file already.
    case file(FileSlice)
}
