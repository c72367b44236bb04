import ChunkStore
import Content

/// How manifests, blobs and lists look to a client.
enum RegistryAnswers {
    /// That something is served past its time.
    struct Staleness: Sendable {
        /// Seconds since it was last validated.
        let age: Int
        let reason: String

        /// containerd shows the text of a 299 to people (OCI distribution specification 1.1, "Warnings").
        func mark(_ headers: inout Headers) {
            headers.add("Age", String(age))
            let text = reason.replacing("\\", with: "").replacing("\"", with: "'")
            headers.add("Warning", "299 - \"\(text.prefix(300))\"")
        }
    }

    static func headers(_ digest: Digest, type: String?, stale: Staleness? = nil) -> Headers {
        var headers = Headers()
        headers.add("Content-Type", type ?? MediaType.octets)
        headers.add("Docker-Content-Digest", "\(digest)")
        headers.add("ETag", "\"\(digest)\"")
        headers.add("X-Content-Type-Options", "nosniff")
        stale?.mark(&headers)
        return headers
    }

    /// What every answer of the registry says.
    static func finish(_ headers: inout Headers, namespace: String?) {
        headers.add("Docker-Distribution-Api-Version", "registry/2.0")
        if let namespace { headers.add("OCI-Namespace", namespace) }
    }

    /// A manifest or blob that is held.
    static func held(
        _ object: StoredObject, type: String?, request: Request, stale: Staleness? = nil
    ) -> Response {
        StoredBody.response(
            object, headers: headers(object.digest, type: type, stale: stale), request: request)
    }

    /// Bytes that are not, or not only, in the store.
    static func bytes(
        _ bytes: [UInt8], digest: Digest, type: String, source: Response.Source, stale: Staleness? = nil
    ) -> Response {
        Response(
            status: .ok, headers: headers(digest, type: type, stale: stale), body: .array(bytes),
            servedFrom: source)
    }

    static func json(_ value: some Encodable, type: String = "application/json", headers: Headers = [:])
        -> Response
    {
        var headers = headers
        headers["Content-Type"] = type
        headers["X-Content-Type-Options"] = "nosniff"
        return Response(status: .ok, headers: headers, body: .array(RegistryJSON.encode(value)))
    }
}
