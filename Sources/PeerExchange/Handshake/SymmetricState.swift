import CSodium
internal import Gossip

/// The hash and the chaining key of a handshake (Noise, section 5.2), with BLAKE2b and ChaCha20-Poly1305.
struct SymmetricState: Sendable {
    private var chaining: [UInt8]
    private var hash: [UInt8]
    private var key: SealingKey?

    /// - Precondition: the name has at most 64 bytes.
    init(name: String) {
        hash = Array(name.utf8) + [UInt8](repeating: 0, count: 64 - name.utf8.count)
        chaining = hash
    }

    mutating func mixHash(_ data: [UInt8]) { hash = Blake2b.hash(hash + data, count: 64) }

    mutating func mixKey(_ material: [UInt8]) {
        let outputs = Self.expand(chaining, material, count: 2)
        chaining = outputs[0]
        key = SealingKey(Array(outputs[1][..<32]))
    }

    mutating func mixKeyAndHash(_ material: [UInt8]) {
        let outputs = Self.expand(chaining, material, count: 3)
        chaining = outputs[0]
        mixHash(outputs[1])
        key = SealingKey(Array(outputs[2][..<32]))
    }

    /// - Precondition: a key was mixed in.
    mutating func encryptAndHash(_ plaintext: [UInt8]) -> [UInt8] {
        guard let sealed = key?.seal(plaintext, with: hash) else {
            preconditionFailure("no key was mixed in")
        }
        mixHash(sealed)
        return sealed
    }

    mutating func decryptAndHash(_ sealed: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard let plaintext = key?.open(sealed, with: hash) else { throw .unauthentic }
        mixHash(sealed)
        return plaintext
    }

    /// The initiator's sending key, and the responder's.
    func split() -> (SealingKey, SealingKey) {
        let outputs = Self.expand(chaining, [], count: 2)
        return (SealingKey(Array(outputs[0][..<32])), SealingKey(Array(outputs[1][..<32])))
    }

    /// HKDF with HMAC-BLAKE2b (Noise, section 4.3; RFC 5869, RFC 2104 with blocks of 128 bytes).
    private static func expand(_ chaining: [UInt8], _ material: [UInt8], count: Int) -> [[UInt8]] {
        let secret = hmac(chaining, material)
        var outputs: [[UInt8]] = []
        for number in 1...count { outputs.append(hmac(secret, (outputs.last ?? []) + [UInt8(number)])) }
        return outputs
    }

    private static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        let padded = key + [UInt8](repeating: 0, count: 128 - key.count)
        return Blake2b.hash(
            padded.map { $0 ^ 0x5c } + Blake2b.hash(padded.map { $0 ^ 0x36 } + data, count: 64), count: 64)
    }
}
