/// What a request wants done (RFC 9110 section 9). `CONNECT` never reaches a responder; every other method
/// without a case of its own is `.other`.
public enum HTTPMethod: UInt8, Sendable, Hashable {
    case get, head, post, put, patch, delete, options, other

    /// The method named by a token; names are case-sensitive (RFC 9110 section 9.1).
    init(token: UnsafeRawBufferPointer) {
        switch token.count {
        case 3:
            self = ByteSearch.equal(token, "GET") ? .get : ByteSearch.equal(token, "PUT") ? .put : .other
        case 4:
            self = ByteSearch.equal(token, "HEAD") ? .head : ByteSearch.equal(token, "POST") ? .post : .other
        case 5: self = ByteSearch.equal(token, "PATCH") ? .patch : .other
        case 6: self = ByteSearch.equal(token, "DELETE") ? .delete : .other
        case 7: self = ByteSearch.equal(token, "OPTIONS") ? .options : .other
        default: self = .other
        }
    }

    /// The method's token; `.other` has lost its own.
    public var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other: "OTHER"
        }
    }
}
