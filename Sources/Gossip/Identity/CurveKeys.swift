import CSodium

extension NodeID {
    /// The X25519 public key of the same node (RFC 7748), converted from the Ed25519 one; nil for a key that stands
    /// for no usable point.
    package var curveKey: [UInt8]? {
        guard Sodium.isReady else { return nil }
        var key = [UInt8](repeating: 0, count: Int(crypto_scalarmult_curve25519_BYTES))
        return crypto_sign_ed25519_pk_to_curve25519(&key, bytes) == 0 ? key : nil
    }
}

extension NodeKey {
    /// The X25519 secret that this node shares with another one, 32 bytes; nil for a key that nothing can be shared
    /// with.
    package func sharedSecret(with node: NodeID) -> [UInt8]? {
        guard let theirs = node.curveKey else { return nil }
        return sharedSecret(withCurveKey: theirs)
    }

    /// As `sharedSecret(with:)`, with an X25519 public key of 32 bytes.
    package func sharedSecret(withCurveKey theirs: [UInt8]) -> [UInt8]? {
        guard theirs.count == Int(crypto_scalarmult_curve25519_BYTES) else { return nil }
        var shared = [UInt8](repeating: 0, count: Int(crypto_scalarmult_curve25519_BYTES))
        let result = withCurveSecret { crypto_scalarmult_curve25519(&shared, $0, theirs) }
        return result == 0 ? shared : nil
    }

    /// Lends the X25519 secret key, 32 bytes, and wipes it afterwards.
    package func withCurveSecret<Result>(
        _ body: (UnsafePointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        let count = Int(crypto_scalarmult_curve25519_SCALARBYTES)
        return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { buffer in
            guard let pointer = buffer.baseAddress else { preconditionFailure("a buffer of 32 bytes") }
            defer { sodium_memzero(pointer, count) }
            withSecret { _ = crypto_sign_ed25519_sk_to_curve25519(pointer, $0) }
            return try body(pointer)
        }
    }
}
