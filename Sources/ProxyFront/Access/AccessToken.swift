import CSodium
public import Content

/// A secret of 256 random bits that stands for a machine; the node keeps its SHA-256 only.
///
/// It is sent as a Bearer token, or as the password of Basic under any user name, for clients that know nothing
/// else (netrc, `docker login`). Its beginning tells it from a registry's tokens and from people's passwords,
/// so that a wrong one is never tried upstream.
public struct AccessToken: Hashable, Sendable {
    public static let prefix = "edgenode_"

    /// What rules and logs call it.
    public var name: String
    public var role: AccessRole
    /// Of the whole secret, prefix included; SHA-256.
    public var digest: Digest

    /// - Precondition: `digest` is a SHA-256.
    public init(name: String, role: AccessRole, digest: Digest) {
        precondition(digest.algorithm == .sha256, "tokens are kept as their SHA-256")
        self.name = name
        self.role = role
        self.digest = digest
    }

    /// The token of a secret.
    public init(secret: String, name: String, role: AccessRole) {
        self.init(name: name, role: role, digest: Digest(of: secret.utf8))
    }

    /// A new secret. It is shown once and kept nowhere.
    public static func newSecret() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return prefix + Hex.encode(bytes)
    }

    /// The token of `tokens` whose secret this is. Takes the same time whichever it is, and if it is none.
    static func find(_ secret: String, in tokens: [AccessToken]) -> AccessToken? {
        let digest = Digest(of: secret.utf8).bytes
        var found: AccessToken?
        for token in tokens where sodium_memcmp(token.digest.bytes, digest, digest.count) == 0 {
            found = token
        }
        return found
    }
}
