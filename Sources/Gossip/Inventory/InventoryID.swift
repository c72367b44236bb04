public import Content

/// How gossip names a blob or an immutable reference: 64 bits of a hash keyed with the cluster secret, so that nobody
/// outside learns what a site holds. A collision costs a question to a peer that does not have it.
public struct InventoryID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public init(blob digest: Digest, secret: ClusterSecret) {
        rawValue = secret.keyedNumber(
            Self.domain, [[1, digest.algorithm == .sha256 ? 1 : 2], digest.bytes])
    }

    public init(reference name: ReferenceName, secret: ClusterSecret) {
        rawValue = secret.keyedNumber(Self.domain, [[2], Array(name.text.utf8)])
    }

    private static let domain = "edgenode inventory v1"

    public static func < (left: InventoryID, right: InventoryID) -> Bool { left.rawValue < right.rawValue }

    public var description: String { NodeTag(rawValue: rawValue).description }
}

extension InventoryID {
    /// What the id adds to the hash of a set: the sum of these tells two sets apart, whatever their order.
    var share: UInt64 { mixed(rawValue) }
}

/// A bijection on 64 bits that spreads its input (the finaliser of SplitMix64, Steele, Lea, Flood 2014).
func mixed(_ value: UInt64) -> UInt64 {
    var mix = value &+ 0x9e37_79b9_7f4a_7c15
    mix = (mix ^ (mix >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mix = (mix ^ (mix >> 27)) &* 0x94d0_49bb_1331_11eb
    return mix ^ (mix >> 31)
}
