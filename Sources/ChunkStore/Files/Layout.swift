import Content

/// Where each file of the store stands (docs/store-format.md, "Directory").
package struct Layout: Sendable {
    package let root: String

    package var version: String { root + "/version" }
    package var lock: String { root + "/lock" }
    package var index: String { root + "/index.sqlite" }
    package var derived: String { root + "/derived.sqlite" }
    package var blobs: String { root + "/blobs" }
    package var ingest: String { root + "/ingest" }
    package var packs: String { root + "/packs" }

    package init(root: String) {
        var root = root
        while root.count > 1 && root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    package func blobs(of algorithm: DigestAlgorithm) -> String { blobs + "/" + algorithm.rawValue }

    /// The directory that holds the blob's file: one of 256 by the first byte of the hash.
    package func fanOut(of digest: Digest) -> String {
        blobs(of: digest.algorithm) + "/" + Hex.encode(digest.bytes.prefix(1))
    }

    package func blob(_ digest: Digest) -> String { fanOut(of: digest) + "/" + digest.hex }

    package func pack(_ id: Int64) -> String { packs + "/" + Self.name(id) + ".pack" }
    package func partial(_ id: Int64) -> String { ingest + "/" + Self.name(id) + ".part" }
    package func partialMap(_ id: Int64) -> String { ingest + "/" + Self.name(id) + ".map" }

    /// The number in a file name such as `000000000000002a.pack`.
    package static func number(in name: String, suffix: String) -> Int64? {
        guard name.hasSuffix(suffix), name.utf8.count == 16 + suffix.utf8.count else { return nil }
        guard let bytes = Hex.decode(name.prefix(16)) else { return nil }
        let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(exactly: value)
    }

    private static func name(_ id: Int64) -> String {
        let value = UInt64(bitPattern: id)
        return Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) })
    }
}
