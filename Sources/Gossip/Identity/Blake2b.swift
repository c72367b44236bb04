import CSodium

/// BLAKE2b (RFC 7693) of whole inputs.
package enum Blake2b {
    /// - Parameters:
    ///   - key: 0 to 64 bytes.
    ///   - count: bytes of the hash, 1 to 64.
    package static func hash(_ input: [UInt8], key: [UInt8] = [], count: Int) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        _ = crypto_generichash_blake2b(
            &output, count, input, UInt64(input.count), key.isEmpty ? nil : key, key.count)
        return output
    }

    /// Bytes from the system's random numbers.
    package static func random(_ count: Int) -> [UInt8] {
        precondition(Sodium.isReady, "the system gives no random numbers")
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            buffer.baseAddress.map { randombytes_buf($0, count) }
            initialized = count
        }
    }
}

/// Lower-case hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let utf8 = Array(text.utf8)
        guard utf8.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: utf8.count, by: 2) {
            guard let high = digits.firstIndex(of: utf8[index]),
                let low = digits.firstIndex(of: utf8[index + 1])
            else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes
    }
}
