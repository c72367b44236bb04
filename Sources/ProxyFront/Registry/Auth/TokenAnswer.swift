import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// What a token service answered (https://distribution.github.io/distribution/spec/auth/token/).
struct TokenAnswer: Sendable, Equatable {
    /// The most bytes that an answer may have.
    static let limit: Int64 = 256 << 10
    /// Tokens of more bytes fit into no header.
    private static let longestToken = 16 << 10
    /// What counts when the service does not say, and the most that is believed.
    private static let lifetime = (usual: 60.0, longest: 86_400.0)

    let token: String
    /// From the moment it was asked for.
    let lifetime: Duration

    /// Nil when there is no token in it that can be sent.
    init?(_ bytes: [UInt8]) {
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(bytes)),
            let token = [wire.token, wire.accessToken].compactMap({ $0 }).first(where: { !$0.isEmpty }),
            token.utf8.count <= Self.longestToken, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        self.token = token
        let told = wire.expiresIn ?? 0
        lifetime = .seconds(told > 0 ? min(told, Self.lifetime.longest) : Self.lifetime.usual)
    }

    /// How long it is used: a token must not die on its way, so the last tenth is left, 5 s at least.
    var usableFor: Duration { max(.zero, lifetime - max(lifetime / 10, .seconds(5))) }

    private struct Wire: Decodable {
        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case expiresIn = "expires_in"
        }
        var token: String?
        var accessToken: String?
        var expiresIn: Double?
    }
}
