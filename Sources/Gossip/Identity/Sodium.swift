import CSodium

/// The one initialisation that libsodium asks for before anything else.
enum Sodium {
    /// Whether the library is usable; false only when the system gives no random numbers.
    static let isReady: Bool = sodium_init() >= 0
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
package enum Base64URL {
    private static var variant: Int32 { Int32(sodium_base64_VARIANT_URLSAFE_NO_PADDING) }

    package static func encode(_ bytes: [UInt8]) -> String {
        let capacity = sodium_base64_encoded_len(bytes.count, variant)
        return String(unsafeUninitializedCapacity: capacity) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                _ = text.baseAddress.map { sodium_bin2base64($0, capacity, bytes, bytes.count, variant) }
            }
            // The last byte is the terminating zero.
            return capacity - 1
        }
    }

    /// The bytes that `text` spells; nil when it holds anything besides the alphabet.
    package static func decode(_ text: String) -> [UInt8]? {
        let length = text.utf8.count
        var count = 0
        var isValid = false
        let bytes = [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
            let result = buffer.baseAddress.map {
                sodium_base642bin($0, length, text, length, nil, &count, nil, variant)
            }
            isValid = result == 0
            initialized = isValid ? count : 0
        }
        return isValid ? bytes : nil
    }
}
