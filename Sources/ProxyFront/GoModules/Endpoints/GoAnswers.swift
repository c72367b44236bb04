import ChunkStore
import Content
import NIOCore

/// How module files and failures look to a client.
enum GoAnswers {
    /// What a client is told about the age of an answer.
    enum Freshness: Sendable, Equatable {
        case fresh
        /// Past its time; upstream is being asked behind it.
        case stale(seconds: Int)
        /// Past its time, and upstream could not be asked.
        case offline(seconds: Int)
    }

    static func headers(
        _ resource: GoResource, digest: Digest, verified: Verification, freshness: Freshness
    ) -> Headers {
        var headers = Headers()
        headers.add("Content-Type", resource.contentType)
        let mayChange = verified == .unverified || freshness != .fresh
        headers.add("Cache-Control", mayChange ? "public, max-age=60" : resource.cacheControl)
        headers.add("ETag", "\"\(digest.hex)\"")
        headers.add("X-Content-Type-Options", "nosniff")
        mark(&headers, freshness)
        return headers
    }

    private static func mark(_ headers: inout Headers, _ freshness: Freshness) {
        switch freshness {
        case .fresh: break
        case .stale(let seconds):
            headers.add("Age", String(seconds))
            headers.add("Warning", "110 edgenode \"Response is Stale\"")
        case .offline(let seconds):
            headers.add("Age", String(seconds))
            headers.add("Warning", "111 edgenode \"Revalidation Failed\"")
        }
    }

    /// A file that is held.
    static func response(
        _ resource: GoResource, _ reference: Reference, _ object: StoredObject, request: Request,
        freshness: Freshness = .fresh
    ) -> Response {
        let headers = headers(
            resource, digest: object.digest, verified: reference.verified, freshness: freshness)
        return StoredBody.response(object, headers: headers, request: request)
    }

    /// Small bytes that are not, or not only, in the store.
    static func response(
        _ resource: GoResource, bytes: [UInt8], verified: Verification, source: Response.Source,
        freshness: Freshness = .fresh
    ) -> Response {
        let headers = headers(
            resource, digest: Digest(of: bytes), verified: verified, freshness: freshness)
        return Response(status: .ok, headers: headers, body: .array(bytes), servedFrom: source)
    }

    // MARK: failures

    /// 404 and 410 only when upstream said so; its own error bodies word for word; else why upstream could
    /// not be asked, in a status that stops the go command instead of sending it elsewhere.
    static func response(_ failure: DeliveryFailure) -> Response {
        switch failure {
        case .upstream(.refused(let refusal)): relayed(refusal)
        case .upstream(.timeout): .text(Status(504), "gateway timeout: \(failure)")
        case .upstream(.unreachable), .upstream(.resting):
            .text(Status(503), "upstream unavailable: \(failure)", headers: ["Retry-After": "5"])
        case .upstream: .text(Status(502), "bad gateway: \(failure)")
        case .bytesDiffer: .text(Status(502), "bad gateway: \(failure)")
        case .mismatch(let reason): .text(Status(502), reason)
        case .notHeld: .text(Status(404), "not found: \(failure)")
        case .store: .text(Status(500), "internal error: \(failure)")
        case .cancelled: .text(Status(503), "unavailable: \(failure)")
        }
    }

    static func relayed(_ refusal: UpstreamRefusal, freshness: Freshness = .fresh) -> Response {
        guard (400...599).contains(refusal.status) else {
            return .text(
                Status(502),
                "bad gateway: \(refusal.upstream) answered \(refusal.status), which means nothing here")
        }
        var headers = Headers()
        headers.add("Content-Type", refusal.contentType ?? "text/plain; charset=UTF-8")
        headers.add("X-Content-Type-Options", "nosniff")
        headers.add("Cache-Control", refusal.isNotFound ? "public, max-age=60" : "no-store")
        if let wait = refusal.retryAfter { headers.add("Retry-After", wait) }
        mark(&headers, freshness)
        return Response(status: Status(refusal.status), headers: headers, body: .array(refusal.body))
    }

    /// A client that may not have something.
    static func refused(_ refusal: AccessRefusal) -> Response {
        .text(
            refusal.status, "\(refusal.status.reason.lowercased()): \(refusal.reason)",
            headers: refusal.headers)
    }

    static func denied(_ reason: String) -> Response {
        .text(Status(403), "forbidden: \(reason)")
    }
}
