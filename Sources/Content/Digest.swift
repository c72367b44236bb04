import Crypto

/// The hash functions a blob may be named by (OCI image specification, "Registered algorithms").
public enum DigestAlgorithm: String, Sendable, CaseIterable {
    case sha256
    case sha512

    /// Bytes in a digest of this algorithm.
    public var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha512: 64
        }
    }
}

/// Why a text or a byte string is not a digest.
public enum DigestError: Error, Equatable, CustomStringConvertible {
    case malformed(String)
    case unsupportedAlgorithm(String)
    case wrongLength(algorithm: DigestAlgorithm, expected: Int, found: Int)

    public var description: String {
        switch self {
        case .malformed(let text):
            "\"\(text)\" is not a digest: it must read <algorithm>:<lower-case hex>"
        case .unsupportedAlgorithm(let name):
            "digest algorithm \"\(name)\" is not supported: use sha256 or sha512"
        case .wrongLength(let algorithm, let expected, let found):
            "a \(algorithm.rawValue) digest has \(expected) bytes, not \(found)"
        }
    }
}

/// The name of a blob: an algorithm and the hash of the blob's bytes
/// (OCI image specification, "Digests").
public struct Digest: Hashable, Sendable {
    public let algorithm: DigestAlgorithm
    /// Exactly `algorithm.byteCount` bytes.
    public let bytes: [UInt8]

    /// - Throws: `DigestError.wrongLength` unless there are exactly `algorithm.byteCount` bytes.
    public init(_ algorithm: DigestAlgorithm, bytes: [UInt8]) throws(DigestError) {
        guard bytes.count == algorithm.byteCount else {
            throw .wrongLength(algorithm: algorithm, expected: algorithm.byteCount, found: bytes.count)
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Parses `sha256:<64 hex>` or `sha512:<128 hex>`; upper-case hex is refused, as the
    /// specification demands.
    public init(parsing text: some StringProtocol) throws(DigestError) {
        var text = String(text)
        let parts = text.withUTF8 { utf8 -> (name: String, bytes: [UInt8]?)? in
            guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let hex = utf8[(colon + 1)...]
            return (String(decoding: utf8[..<colon], as: UTF8.self), hex.count <= 256 ? Hex.decode(hex) : nil)
        }
        guard let parts else { throw .malformed(String(text.prefix(200))) }
        guard let algorithm = DigestAlgorithm(rawValue: parts.name) else {
            throw .unsupportedAlgorithm(String(parts.name.prefix(64)))
        }
        guard let bytes = parts.bytes else { throw .malformed(String(text.prefix(200))) }
        try self.init(algorithm, bytes: bytes)
    }

    /// The digest of `bytes`, computed here and now; for bodies that do not fit in memory use `DigestHasher`.
    public init(_ algorithm: DigestAlgorithm = .sha256, of bytes: some Sequence<UInt8>) {
        var hasher = DigestHasher(algorithm)
        let done: Void? = bytes.withContiguousStorageIfAvailable { hasher.update(UnsafeRawBufferPointer($0)) }
        if done == nil { Array(bytes).withUnsafeBytes { hasher.update($0) } }
        self = hasher.finalize()
    }

    init(trusted algorithm: DigestAlgorithm, bytes: [UInt8]) {
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// The hash alone, in lower-case hexadecimal digits.
    public var hex: String { Hex.encode(bytes) }

    /// The bytes in one step, where an array gives them one by one; the algorithm follows from their number.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Digest: CustomStringConvertible {
    /// `sha256:<hex>`, the form of the OCI specifications.
    public var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension Digest: Comparable {
    public static func < (left: Digest, right: Digest) -> Bool {
        if left.algorithm != right.algorithm { return left.algorithm.rawValue < right.algorithm.rawValue }
        return left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// An incremental hash that ends in a `Digest`.
public struct DigestHasher: Sendable {
    private enum State: Sendable {
        case sha256(SHA256)
        case sha512(SHA512)
    }
    private var state: State

    public init(_ algorithm: DigestAlgorithm) {
        switch algorithm {
        case .sha256: state = .sha256(SHA256())
        case .sha512: state = .sha512(SHA512())
        }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        case .sha512(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha512(hash)
        }
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of everything given so far; the hasher may go on being updated.
    public func finalize() -> Digest {
        switch state {
        case .sha256(let hash): Digest(trusted: .sha256, bytes: Array(hash.finalize()))
        case .sha512(let hash): Digest(trusted: .sha512, bytes: Array(hash.finalize()))
        }
    }
}
