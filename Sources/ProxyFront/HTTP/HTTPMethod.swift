/// What a request wants done (RFC 9110 section 9). `CONNECT` never reaches a responder; every other method
/// without a case of its own is `.other`.
public enum HTTPMethod: UInt8, Sendable, Hashable {
    case get, head, post, put, patch, delete, options, other

    /// The method named by a token; names are case-sensitive (RFC 9110 section 9.1).
    init(token: some Collection<UInt8>) {
        switch token.count {
        case 3:
            self = token.elementsEqual("GET".utf8) ? .get : token.elementsEqual("PUT".utf8) ? .put : .other
        case 4:
            self =
                token.elementsEqual("HEAD".utf8) ? .head : token.elementsEqual("POST".utf8) ? .post : .other
        case 5: self = token.elementsEqual("PATCH".utf8) ? .patch : .other
        case 6: self = token.elementsEqual("DELETE".utf8) ? .delete : .other
        case 7: self = token.elementsEqual("OPTIONS".utf8) ? .options : .other
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
