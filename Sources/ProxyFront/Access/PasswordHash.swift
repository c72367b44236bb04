import CSodium

/// An Argon2id hash of a password, in the text form that carries its salt and parameters (RFC 9106; the form of
/// libsodium's `crypto_pwhash_str`): `$argon2id$v=19$m=16384,t=3,p=1$<salt>$<hash>`.
public struct PasswordHash: Hashable, Sendable {
    /// The most memory that one verification may take, in KiB: 16 MiB.
    public static let memoryLimit = 16_384
    /// The least that is worth the name (OWASP's smallest recommendation), in KiB.
    static let memoryFloor = 7168
    static let passes = 1...10

    /// Three passes over 16 MiB: about 40 ms of one core.
    private static let standardPasses: UInt64 = 3
    private static let isReady = sodium_init() >= 0

    public let text: String

    /// - Throws: `PasswordHashError` naming what is wrong, never the text itself.
    public init(parsing text: String) throws(PasswordHashError) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id" else {
            throw PasswordHashError("it is no Argon2id hash")
        }
        guard parts[2] == "v=19" else { throw PasswordHashError("its Argon2 version is not 19") }
        let numbers = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard numbers.count == 3, let memory = Self.number(numbers[0], "m="),
            let passes = Self.number(numbers[1], "t="), numbers[2] == "p=1"
        else { throw PasswordHashError("its parameters do not read m=...,t=...,p=1") }
        guard memory <= Self.memoryLimit else {
            throw PasswordHashError(
                "it takes \(memory) KiB of memory; at most \(Self.memoryLimit) KiB are given to it")
        }
        guard memory >= Self.memoryFloor, Self.passes.contains(passes) else {
            throw PasswordHashError(
                "m=\(memory),t=\(passes) is out of range; m is \(Self.memoryFloor) to \(Self.memoryLimit), t"
                    + " \(Self.passes.lowerBound) to \(Self.passes.upperBound)")
        }
        // 16 and 32 bytes in Base64 without padding.
        guard parts[4].utf8.count == 22, parts[5].utf8.count == 43,
            (parts[4] + parts[5]).utf8.allSatisfy(Self.isBase64)
        else { throw PasswordHashError("its salt or hash is cut or garbled") }
        self.text = text
    }

    private static func number(_ text: Substring, _ prefix: String) -> Int? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy(ByteClass.isDigit), digits.first != "0" else {
            return nil
        }
        return Int(digits)
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: false
        }
    }

    /// A hash of `password` with a new salt. Blocks for tens of milliseconds.
    /// - Throws: `PasswordHashError` for an empty or overlong password, or when there is no memory for it.
    public static func make(of password: String) throws(PasswordHashError) -> PasswordHash {
        guard !password.isEmpty, password.utf8.count <= ClientCredential.limit, !password.utf8.contains(0)
        else {
            throw PasswordHashError("the password is empty, holds a zero byte, or is longer than 8 KiB")
        }
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let bytes = Array(password.utf8).map { CChar(bitPattern: $0) }
        guard isReady,
            crypto_pwhash_str_alg(
                &text, bytes, UInt64(bytes.count), standardPasses, memoryLimit << 10,
                crypto_pwhash_ALG_ARGON2ID13) == 0
        else { throw PasswordHashError("there is no memory to make a hash with") }
        return try PasswordHash(
            parsing: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Whether it is the hash of `password`. Blocks for tens of milliseconds and takes 16 MiB meanwhile.
    package func matches(_ password: String) -> Bool {
        let size = Int(crypto_pwhash_STRBYTES)
        var hash = text.utf8.map { CChar(bitPattern: $0) }
        guard Self.isReady, hash.count < size else { return false }
        hash += [CChar](repeating: 0, count: size - hash.count)
        let bytes = Array(password.utf8).map { CChar(bitPattern: $0) }
        return crypto_pwhash_str_verify(hash, bytes, UInt64(bytes.count)) == 0
    }
}

/// Why a text is no usable password hash. Repeats nothing of it.
public struct PasswordHashError: Error, Equatable, CustomStringConvertible {
    public let reason: String

    init(_ reason: String) { self.reason = reason }

    public var description: String { "\(reason); make one with: edgenode password NAME" }
}
