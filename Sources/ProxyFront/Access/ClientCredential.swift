/// What a client says of itself in its Authorization header (RFC 7617, RFC 6750).
enum ClientCredential: Equatable {
    case basic(user: String, password: String)
    case bearer(token: String)
    /// Nothing that says anything: some clients send a Basic header with neither user nor password.
    case empty
    /// `reason` repeats nothing of the header but its scheme.
    case unusable(reason: String)

    /// The longest user name, password or token that is looked at, in bytes.
    static let limit = 8192

    init(parsing header: String) {
        let parts = header.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let value = parts.count == 2 ? parts[1].trimmingPrefix { $0 == " " } : ""
        switch parts.first?.lowercased() {
        case _ where header.utf8.count > 2 * Self.limit:
            self = .unusable(reason: "the Authorization header is longer than any credential")
        case "basic":
            guard let bytes = Base64.decode(value), let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":"), !text.utf8.contains(0)
            else {
                self = .unusable(reason: "the Basic credentials are not user:password in Base64")
                return
            }
            let (user, password) = (text[..<colon], text[text.index(after: colon)...])
            self =
                user.isEmpty && password.isEmpty
                ? .empty : .basic(user: String(user), password: String(password))
        case "bearer":
            guard !value.isEmpty, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ",") })
            else {
                self = .unusable(reason: "the Bearer token is empty or holds what no token does")
                return
            }
            self = .bearer(token: String(value))
        case let scheme?:
            self = .unusable(
                reason:
                    "credentials of the scheme \(QuotedText(scheme.prefix(40))) are not taken; use Basic or Bearer"
            )
        case nil: self = .empty
        }
    }
}
