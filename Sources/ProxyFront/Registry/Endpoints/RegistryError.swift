import struct FoundationEssentials.Data
import class FoundationEssentials.JSONEncoder

/// An answer that is no success, in the form of the specification (OCI distribution specification 1.1, "Error
/// Codes").
package struct RegistryError: Error, Sendable, Equatable {
    package enum Code: String, Sendable, CaseIterable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case unauthorized = "UNAUTHORIZED"
        case denied = "DENIED"
        case unsupported = "UNSUPPORTED"
        case tooManyRequests = "TOOMANYREQUESTS"
        // Of the distribution project, for what the specification has no code.
        case paginationNumberInvalid = "PAGINATION_NUMBER_INVALID"
        case unavailable = "UNAVAILABLE"
        case unknown = "UNKNOWN"
    }

    package let status: Status
    package let code: Code
    /// For the person at the client, in one sentence.
    package let message: String
    /// What it is about: a digest, a tag, a repository.
    package var detail: [String: String] = [:]
    package var headers = Headers()

    init(
        _ status: Status, _ code: Code, _ message: String, detail: [String: String] = [:],
        headers: Headers = [:]
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail
        self.headers = headers
    }

    static let unknownEndpoint = RegistryError(
        .notFound, .unsupported,
        "no endpoint of the distribution specification: /v2/<name>/manifests/<reference>, /v2/<name>/blobs/<digest>, "
            + "/v2/<name>/tags/list, /v2/<name>/referrers/<digest> and /v2/_catalog are served here")

    var response: Response {
        var headers = headers
        headers["Content-Type"] = "application/json"
        headers["X-Content-Type-Options"] = "nosniff"
        return Response(status: status, headers: headers, body: .array(body))
    }

    private struct Wire: Encodable {
        struct Entry: Encodable {
            let code: String
            let message: String
            let detail: [String: String]?
        }
        let errors: [Entry]
    }

    private var body: [UInt8] {
        let entry = Wire.Entry(code: code.rawValue, message: message, detail: detail.isEmpty ? nil : detail)
        return RegistryJSON.encode(Wire(errors: [entry]))
    }
}

/// JSON as the endpoints send it.
enum RegistryJSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            preconditionFailure("text and numbers always encode: \(error)")
        }
    }
}
