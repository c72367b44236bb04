import ChunkStore
import Content
import Foundation
import Testing

@Suite("The format of bundles")
struct BundleFormatTests {
    static let key = "edgenode-ed25519:" + String(repeating: "A", count: 43)

    static func reference(_ name: String, of bytes: [UInt8]) throws -> Reference {
        Reference(
            name: try ReferenceName(name), digest: Digest(of: bytes), size: Int64(bytes.count),
            learned: Date(timeIntervalSince1970: 1_700_000_000.5),
            checked: Date(timeIntervalSince1970: 1_700_000_001), origin: "https://proxy.example/\"x\"",
            validator: "\"etag\"", contentType: "text/plain; charset=UTF-8", verified: .pinnedAtFirstSight,
            access: .public, h1: "h1:abc=")
    }

    static func manifest() throws -> BundleManifest {
        let (one, two) = (Array("one".utf8), Array("two!".utf8))
        return try BundleManifest([
            BundleObject(
                digest: Digest(of: one), size: 3,
                references: [
                    try reference("go/a.b/c@v1.0.0.mod", of: one), try reference("go/a.b/ü@x", of: one),
                ]),
            BundleObject(
                digest: Digest(of: two), size: 4, isAbsent: true,
                references: [try reference("oci/h.example/n@\(Digest(of: two))", of: two)]),
            BundleObject(
                digest: Digest(.sha512, of: one), size: 3,
                references: [
                    try reference("oci/h.example/n@\(Digest(.sha512, of: one))", of: one)
                        .renamed(to: Digest(.sha512, of: one))
                ]),
        ])
    }

    @Test("a manifest comes back as it was, and equal ones have equal bytes")
    func manifestRoundTrip() throws {
        let manifest = try Self.manifest()
        let bytes = try manifest.encoded()
        #expect(try BundleManifest(parsing: bytes) == manifest)
        #expect(try BundleManifest(parsing: bytes).encoded() == bytes)
        #expect(manifest.contentSize == 6)
        #expect(manifest.offsets == [0, 3, 3])
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("{\"object\":\"sha256:"))
    }

    @Test("a head comes back as it was, and what is signed begins with its own words")
    func headRoundTrip() throws {
        let manifest = try Self.manifest().encoded()
        var signed: [UInt8] = []
        let head = try BundleHead(key: Self.key, manifest: manifest) {
            signed = $0
            return [UInt8](repeating: 7, count: 64)
        }
        #expect(signed == head.signedBytes)
        #expect(
            String(decoding: signed, as: UTF8.self).hasPrefix(
                "edgenode bundle signature 1\nedgenode bundle 1\nkey "))
        #expect(try BundleHead(parsing: head.bytes) == head)
        #expect(try BundleHead(parsing: head.bytes + manifest) == head)
        #expect(head.byteCount == head.bytes.count)
        #expect(head.manifestDigest == Digest(of: manifest))
    }

    @Test("a head of which any byte is another is refused, or says something else")
    func flippedHead() throws {
        let head = try BundleHead(key: Self.key, manifest: [1, 2, 3]) { _ in [UInt8](repeating: 7, count: 64)
        }
        for index in head.bytes.indices {
            for bit in 0..<8 {
                var bytes = head.bytes
                bytes[index] ^= 1 << bit
                if let other = try? BundleHead(parsing: bytes) {
                    #expect(other != head)
                    // Every byte counts: what parses is written as it was read.
                    #expect(other.bytes == bytes)
                }
            }
        }
    }

    static let heads: [(String, String)] = [
        ("", "no bundle"), ("edgenode bundle 2\n", "format"), ("edgenode bundle 1 \n", "format"),
        ("edgenode bundle 1\n", "cut short"), ("edgenode bundle 1\nkey \n", "cut short"),
        ("edgenode bundle 1\nkey a b\nmanifest\nsignature\n", "key"),
        ("edgenode bundle 1\nkey k\nmanifest 01 sha256:\(String(repeating: "0", count: 64))\n", "cut short"),
        (
            "edgenode bundle 1\nkey k\nmanifest 01 sha256:\(String(repeating: "0", count: 64))\nsignature 0\n",
            "size"
        ),
        (
            "edgenode bundle 1\nkey k\nmanifest -1 sha256:\(String(repeating: "0", count: 64))\nsignature 0\n",
            "size"
        ),
        (
            "edgenode bundle 1\nkey k\nmanifest 99999999999 sha256:\(String(repeating: "0", count: 64))\nsignature 0\n",
            "beyond"
        ),
        (
            "edgenode bundle 1\nkey k\nmanifest 1 sha256:\(String(repeating: "0", count: 64))\nsignature 0\n",
            "signature"
        ),
        ("edgenode bundle 1\nkey \(String(repeating: "k", count: 2000))\n", "cut short"),
    ]

    @Test("says what is wrong with a head", arguments: heads)
    func badHead(text: String, word: String) throws {
        let error = #expect(throws: BundleError.self) { try BundleHead(parsing: Array(text.utf8)) }
        #expect("\(try #require(error))".contains(word), "\(error.map { "\($0)" } ?? "")")
    }

    private static let digest = "sha256:" + String(repeating: "0", count: 64)
    private static let object = #"{"object":"\#(digest)","size":1}"#
    private static let name =
        #"{"access":"public","checked":1,"learned":1,"origin":"","reference":"a","verification":"none"}"#

    static let manifests: [String] = [
        object + "\n", name + "\n", object + "\n" + name,
        object + "\n" + name + "\n" + object + "\n" + name + "\n",
        object + "\n" + name + "\n" + name + "\n", object + "\n" + name + "\n\n", "[]\n", "{}\n", "\n",
        #"{"object":"\#(digest)","size":-1}"# + "\n" + name + "\n",
        #"{"object":"\#(digest)","size":1099511627777}"# + "\n" + name + "\n",
        #"{"object":"\#(digest)","size":1,"absent":false}"# + "\n" + name + "\n",
        #"{"object":"\#(digest)","size":1,"extra":1}"# + "\n" + name + "\n",
        #"{"object":"md5:00","size":1}"# + "\n" + name + "\n",
        object + "\n" + name.replacingOccurrences(of: "none", with: "sure") + "\n",
        object + "\n" + name.replacingOccurrences(of: "public", with: "secret") + "\n",
        object + "\n" + name.replacingOccurrences(of: #""checked":1"#, with: #""checked":-1"#) + "\n",
        object + "\n" + name.replacingOccurrences(of: #""learned":1"#, with: #""learned":999999999999999"#)
            + "\n",
        object + "\n" + name.replacingOccurrences(of: #":"a""#, with: #":"a\u0000""#) + "\n",
        object + "\n" + name.replacingOccurrences(of: #":"a""#, with: #":"""#) + "\n",
        object + "\n"
            + name.replacingOccurrences(of: #":"a""#, with: ":\"\(String(repeating: "a", count: 1025))\"")
            + "\n",
        object + "\n"
            + name.replacingOccurrences(
                of: #""origin":"""#, with: "\"origin\":\"\(String(repeating: "a", count: 9000))\"")
            + "\n",
    ]

    @Test("refuses a manifest that breaks the format", arguments: manifests)
    func badManifest(text: String) {
        #expect(throws: BundleError.self) { try BundleManifest(parsing: Array(text.utf8)) }
    }

    @Test("a bundle of nothing is one")
    func empty() throws {
        #expect(try BundleManifest(parsing: []).objects.isEmpty)
    }
}

@Suite("Inventories")
struct InventoryTests {
    private let held = (0..<5).map { Digest(of: [UInt8($0)]) }

    private func read(_ bytes: [UInt8], by size: Int, wanted: Set<Digest>) throws -> Set<Digest> {
        var reader = InventoryReader(wanted: wanted)
        var rest = bytes[...]
        while !rest.isEmpty {
            try reader.receive(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        try reader.finish()
        return reader.listed
    }

    @Test(
        "tell which of the wanted digests they list, however they are cut into pieces",
        arguments: [1, 7, 4096])
    func reading(size: Int) throws {
        let bytes = Inventory.head + Inventory.lines(held) + Inventory.end(5)
        let wanted: Set = [held[1], held[4], Digest(of: [9])]
        #expect(try read(bytes, by: size, wanted: wanted) == [held[1], held[4]])
    }

    @Test("are refused when they are cut short or something else")
    func refused() throws {
        let whole = Inventory.head + Inventory.lines(held) + Inventory.end(5)
        for count in 0..<whole.count {
            #expect(throws: InventoryError.self) { try read(Array(whole[..<count]), by: 100, wanted: []) }
        }
        for bad in [
            Inventory.head + Inventory.lines(held) + Inventory.end(4), whole + whole, Array("hello\n".utf8),
            Inventory.head + Array("sha256:00\n".utf8) + Inventory.end(1),
            Inventory.head + [UInt8](repeating: 0x61, count: 10_000),
        ] {
            #expect(throws: InventoryError.self) { try read(bad, by: 100, wanted: []) }
        }
    }
}

extension Reference {
    fileprivate func renamed(to digest: Digest) -> Reference {
        var other = self
        other.digest = digest
        return other
    }
}
