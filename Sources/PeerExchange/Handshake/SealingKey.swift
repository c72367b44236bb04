import CSodium
internal import NIOCore

/// A key of ChaCha20-Poly1305 (RFC 8439) with its counter: each message has the next one as its nonce.
package struct SealingKey: Sendable {
    package static let overhead = 16
    /// A session ends before its counters do.
    package static let messageLimit: UInt64 = 1 << 48

    private let key: [UInt8]
    package private(set) var counter: UInt64 = 0

    /// - Precondition: 32 bytes.
    package init(_ key: [UInt8]) {
        precondition(key.count == 32, "a key has 32 bytes")
        self.key = key
    }

    private mutating func nonce() -> [UInt8] {
        defer { counter += 1 }
        return [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: counter >> (8 * $0)) }
    }

    package mutating func seal(_ plaintext: [UInt8], with additional: [UInt8] = []) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.overhead)
        _ = crypto_aead_chacha20poly1305_ietf_encrypt(
            &sealed, nil, plaintext, UInt64(plaintext.count), additional, UInt64(additional.count), nil,
            nonce(),
            key)
        return sealed
    }

    /// Nil when it is not authentic; the counter has moved all the same, and the session is over.
    package mutating func open(_ sealed: [UInt8], with additional: [UInt8] = []) -> [UInt8]? {
        guard sealed.count >= Self.overhead else { return nil }
        var plaintext = [UInt8](repeating: 0, count: sealed.count - Self.overhead)
        let result = crypto_aead_chacha20poly1305_ietf_decrypt(
            &plaintext, nil, nil, sealed, UInt64(sealed.count), additional, UInt64(additional.count), nonce(),
            key)
        return result == 0 ? plaintext : nil
    }

    /// Writes the sealed form of `plaintext` to the end of `buffer`, without a copy between.
    mutating func seal(_ plaintext: ByteBuffer, to buffer: inout ByteBuffer) {
        let nonce = nonce()
        let count = plaintext.readableBytes
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count + Self.overhead) { target in
            plaintext.withUnsafeReadableBytes { source in
                guard let to = target.bindMemory(to: UInt8.self).baseAddress else { return }
                _ = crypto_aead_chacha20poly1305_ietf_encrypt(
                    to, nil, source.bindMemory(to: UInt8.self).baseAddress ?? UnsafePointer(to),
                    UInt64(count), nil,
                    0, nil, nonce, key)
            }
            return count + Self.overhead
        }
    }

    /// The plaintext of `sealed`, or nil.
    mutating func open(_ sealed: ByteBuffer, allocator: ByteBufferAllocator) -> ByteBuffer? {
        let count = sealed.readableBytes - Self.overhead
        guard count >= 0 else { return nil }
        let nonce = nonce()
        var plaintext = allocator.buffer(capacity: count)
        var isGood = false
        plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: max(1, count)) { target in
            sealed.withUnsafeReadableBytes { source in
                guard let from = source.bindMemory(to: UInt8.self).baseAddress else { return }
                isGood =
                    crypto_aead_chacha20poly1305_ietf_decrypt(
                        target.bindMemory(to: UInt8.self).baseAddress, nil, nil, from, UInt64(source.count),
                        nil, 0,
                        nonce, key) == 0
            }
            return isGood ? count : 0
        }
        return isGood ? plaintext : nil
    }
}
