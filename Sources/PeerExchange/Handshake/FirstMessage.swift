import CSodium
package import Content
package import Gossip

/// What stands before the first message of a handshake: who knows neither the cluster's secret nor whom it speaks to
/// costs one hash (docs/wire-formats.md, "Handshake").
package enum FirstMessage {
    package static let version: UInt8 = 1
    package static let macByteCount = 16
    /// Version, MAC, length of the Noise message.
    package static let headByteCount = 1 + macByteCount + 2
    /// Bytes of the longest Noise message of a handshake.
    package static let noiseByteLimit = NoiseHandshake.firstOverhead + MemberCard.byteLimit + 64

    package static func prologue(_ cluster: ClusterID) -> [UInt8] {
        Array("edgenode exchange v1".utf8) + cluster.bytes
    }

    package static func psk(_ secret: ClusterSecret) -> [UInt8] {
        secret.keyedHash("edgenode exchange psk v1", [], count: 32)
    }

    /// The MAC of a first message to `responder`.
    package static func mac(_ noise: [UInt8], to responder: NodeID, secret: ClusterSecret) -> [UInt8] {
        secret.keyedHash("edgenode first message v1", [responder.bytes, noise], count: macByteCount)
    }

    package static func isGood(
        _ mac: [UInt8], of noise: [UInt8], to responder: NodeID, secret: ClusterSecret
    ) -> Bool {
        let expected = self.mac(noise, to: responder, secret: secret)
        return mac.count == expected.count && sodium_memcmp(mac, expected, expected.count) == 0
    }

    package static func framed(_ noise: [UInt8], to responder: NodeID, secret: ClusterSecret) -> [UInt8] {
        var writer = WireWriter(capacity: headByteCount + noise.count)
        writer.write(version)
        writer.write(mac(noise, to: responder, secret: secret))
        writer.write(UInt16(noise.count))
        writer.write(noise)
        return writer.bytes
    }
}

/// What the responder says in its part of the handshake.
package enum Welcome: Hashable, Sendable {
    case card(MemberCard)
    /// The asker is no member, and this is why.
    case refused(code: UInt8, String)

    package var encoded: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .card(let card):
            writer.write(UInt8(0))
            card.write(to: &writer)
        case .refused(let code, let reason):
            writer.write(UInt8(1))
            writer.write(code)
            writer.writeText(String(reason.prefix(400)))
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.read(UInt8.self) {
        case 0: self = .card(try MemberCard(from: &reader))
        case 1: self = .refused(code: try reader.read(), try reader.readText(limit: 2000))
        default: throw .malformed("a welcome of an unknown kind")
        }
    }
}
