/// Why a request target is no request of the module proxy protocol.
///
/// The status follows the reference: what cannot be the name of a module, version or database is "not found"
/// (404), so that a client whose rules are newer goes on to its next source; what is no proper URL, lookup or
/// tile name is a bad request (400), as golang.org/x/mod/sumdb `Server` answers it.
public enum GoRequestError: Error, Equatable, CustomStringConvertible {
    case malformedEscape(String)
    case notAnEndpoint(String)
    case invalidModulePath(ModulePathError)
    case invalidVersion(ModulePath, ModuleVersionError)
    case unknownDatabase(String)
    case invalidLookup(String, reason: String)
    case invalidTile(String)

    /// The HTTP status that answers the request.
    public var statusCode: Int {
        switch self {
        case .malformedEscape, .invalidLookup, .invalidTile: 400
        case .notAnEndpoint, .invalidModulePath, .invalidVersion, .unknownDatabase: 404
        }
    }

    /// One line fit for a text/plain body: it begins as the public proxy's errors do.
    public var description: String {
        switch self {
        case .malformedEscape(let target):
            "bad request: \(QuotedText(target)) holds a \"%\" that two hexadecimal digits do not follow"
        case .notAnEndpoint(let path):
            "not found: \(QuotedText(path)) is not a path of the Go module proxy protocol"
        case .invalidModulePath(let error): "not found: \(error)"
        case .invalidVersion(let module, let error): "not found: \(module.text): \(error)"
        case .unknownDatabase(let path):
            "not found: no checksum database of the name in \(QuotedText("sumdb/" + path)) is configured here"
        case .invalidLookup(let path, let reason):
            "bad request: \(QuotedText(path)) is not a lookup: \(reason)"
        case .invalidTile(let path): "bad request: \(QuotedText(path)) is not the name of a tile"
        }
    }
}
