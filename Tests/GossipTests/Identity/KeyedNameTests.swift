import Content
import Gossip
import Testing

/// What nodes of any version must agree on. The numbers were worked out with another implementation (Python's
/// hashlib.blake2b), from the description in docs/wire-formats.md.
@Suite("Names keyed with the cluster's secret") struct KeyedNameTests {
    private let secret: ClusterSecret
    private let other: ClusterSecret

    init() throws {
        secret = try #require(try ClusterSecret(bytes: Array(0..<32)))
        other = try #require(try ClusterSecret(bytes: Array(1..<33)))
    }

    private func hex(_ value: UInt64) -> String { NodeTag(rawValue: value).description }

    @Test("a node's tag")
    func tag() throws {
        let node = try #require(NodeID(bytes: Array(100..<132)))
        #expect(secret.tag(of: node).description == "a3287071ffe63536")
        #expect(other.tag(of: node) != secret.tag(of: node))
    }

    @Test("a blob's id, by either algorithm")
    func blobs() {
        let bytes = Array("abc".utf8)
        #expect(
            InventoryID(blob: Digest(.sha256, of: bytes), secret: secret).description == "e2f904a77f934e6a")
        #expect(
            InventoryID(blob: Digest(.sha512, of: bytes), secret: secret).description == "184b58d4cb6e98bb")
    }

    @Test("an immutable reference's id")
    func references() throws {
        let name = try ReferenceName("go/example.org/m@v1.0.0.zip")
        #expect(InventoryID(reference: name, secret: secret).description == "988ef78fdb824ce6")
        #expect(InventoryID(reference: name, secret: other).description != "988ef78fdb824ce6")
    }

    @Test("a name's text is never taken for a blob's digest")
    func kinds() throws {
        // The bytes that follow the kind are the same.
        let digest = try Digest(.sha256, bytes: [UInt8](repeating: UInt8(ascii: "a"), count: 32))
        let name = try ReferenceName(String(repeating: "a", count: 32))
        #expect(InventoryID(blob: digest, secret: secret) != InventoryID(reference: name, secret: secret))
    }

    @Test("ids and tags are written with sixteen digits, and ordered as numbers")
    func text() {
        #expect(hex(0) == "0000000000000000" && hex(0xab) == "00000000000000ab")
        #expect(hex(.max) == "ffffffffffffffff")
        #expect(NodeTag(rawValue: 1 << 63) > NodeTag(rawValue: 1 << 62))
        #expect(InventoryID(rawValue: 1 << 63) > InventoryID(rawValue: 9))
    }
}
