import CSodium

/// BLAKE2b with a random key that lives as long as the process (RFC 7693, section 2.5): what names a secret in
/// a table without keeping it. Nobody who sees the table can try guesses against it.
struct KeyedHash: Sendable {
    /// The hash of a secret together with what it is a secret for.
    struct Value: Hashable, Sendable {
        fileprivate let bytes: [UInt8]
    }

    private static let byteCount = 32
    private let key: [UInt8]

    init() {
        // The generator of the system; libsodium's own needs an initialisation that may fail.
        var generator = SystemRandomNumberGenerator()
        key = (0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Each part goes in with its length, so that no two lists of parts are one text.
    func callAsFunction(_ parts: String...) -> Value {
        var message: [UInt8] = []
        for part in parts {
            withUnsafeBytes(of: UInt64(part.utf8.count).littleEndian) { message.append(contentsOf: $0) }
            message.append(contentsOf: part.utf8)
        }
        var hash = [UInt8](repeating: 0, count: Self.byteCount)
        let result = crypto_generichash(
            &hash, hash.count, message, UInt64(message.count), key, key.count)
        precondition(result == 0, "BLAKE2b fails for lengths out of range only")
        return Value(bytes: hash)
    }
}
