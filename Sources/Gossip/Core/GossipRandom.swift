import CSodium

/// Random numbers fit for nonces: the key stream of ChaCha20 (RFC 8439) under a seed. One seed, one sequence, so that
/// a simulated run can be repeated; a node in service takes its seed from the system.
public struct GossipRandom: RandomNumberGenerator, Sendable {
    public static let seedByteCount = 32
    private static let blockByteCount = 512

    private let key: [UInt8]
    private var block: [UInt8] = []
    private var position = 0
    private var counter: UInt64 = 0

    /// A generator whose sequence nobody can foresee.
    public init() { self.init(seed: Blake2b.random(Self.seedByteCount)) }

    /// - Precondition: `seed` has `seedByteCount` bytes.
    public init(seed: [UInt8]) {
        precondition(seed.count == Self.seedByteCount, "a seed has \(Self.seedByteCount) bytes")
        key = seed
    }

    public mutating func next() -> UInt64 {
        if position + 8 > block.count { refill() }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(block[position + index]) << (8 * UInt64(index)) }
        position += 8
        return value
    }

    /// `count` random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            var value = next()
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: value))
                value >>= 8
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private mutating func refill() {
        var nonce: [UInt8] = []
        for index in 0..<8 { nonce.append(UInt8(truncatingIfNeeded: counter >> (8 * UInt64(index)))) }
        counter += 1
        if block.isEmpty { block = [UInt8](repeating: 0, count: Self.blockByteCount) }
        _ = crypto_stream_chacha20(&block, UInt64(Self.blockByteCount), nonce, key)
        position = 0
    }
}
