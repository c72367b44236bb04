import CSodium
package import Gossip

/// An X25519 key pair (RFC 7748): a node's own, converted from its identity, or one made for a single handshake.
package struct CurveSecret: Sendable {
    private enum Source: Sendable {
        case node(NodeKey)
        case bytes([UInt8])
    }

    private let source: Source
    package let publicKey: [UInt8]

    /// A node's; nil for a key that stands for no usable point.
    package init?(_ key: NodeKey) {
        guard let publicKey = key.id.curveKey else { return nil }
        source = .node(key)
        self.publicKey = publicKey
    }

    /// - Parameter bytes: 32 bytes of the secret.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        var publicKey = [UInt8](repeating: 0, count: 32)
        guard crypto_scalarmult_curve25519_base(&publicKey, bytes) == 0 else { return nil }
        source = .bytes(bytes)
        self.publicKey = publicKey
    }

    /// One for a single handshake.
    package static func ephemeral() throws(NoiseError) -> CurveSecret {
        guard let secret = CurveSecret(bytes: Blake2b.random(32)) else { throw .badKey }
        return secret
    }

    func shared(with theirs: [UInt8]) throws(NoiseError) -> [UInt8] {
        switch source {
        case .node(let key):
            guard let shared = key.sharedSecret(withCurveKey: theirs) else { throw .badKey }
            return shared
        case .bytes(let bytes):
            var shared = [UInt8](repeating: 0, count: 32)
            guard crypto_scalarmult_curve25519(&shared, bytes, theirs) == 0 else { throw .badKey }
            return shared
        }
    }
}
