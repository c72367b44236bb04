import Foundation
import Gossip
import Testing

@Suite("A node's key")
struct NodeKeyTests {
    /// A folder of its own, removed afterwards.
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("edgenode-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path + "/node.key")
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("signs what its public half verifies, and nothing else verifies")
    func signature() throws {
        let key = try NodeKey.generate()
        let message = Array("a statement".utf8)
        var signature = key.sign(message)
        #expect(key.id.isValid(signature, of: message))
        #expect(!key.id.isValid(signature, of: message + [0]))
        #expect(!key.id.isValid(Array(signature.dropLast()), of: message))
        #expect(!(try NodeKey.generate()).id.isValid(signature, of: message))
        signature[10] ^= 1
        #expect(!key.id.isValid(signature, of: message))
    }

    @Test("agrees with the first test vector of RFC 8032, section 7.1")
    func vector() throws {
        try inFolder { path in
            let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
            try write("edgenode-key-v1\n\(seed)\n", to: path)
            let key = try NodeKeyFile.load(from: path)
            #expect(hex(key.id.bytes) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
            #expect(
                hex(key.sign([]))
                    == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            )
        }
    }

    @Test("is made once, belongs to its owner alone and is the same after a restart")
    func persistence() throws {
        try inFolder { path in
            let key = try NodeKeyFile.loadOrCreate(at: path)
            #expect(try mode(path) == 0o600)
            #expect(try NodeKeyFile.loadOrCreate(at: path).id == key.id)
            #expect(try NodeKeyFile.load(from: path).sign([1, 2]) == key.sign([1, 2]))
            #expect(throws: NodeKeyError.alreadyExists(path: path)) { try NodeKeyFile.create(at: path) }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["node.key"])
        }
    }

    @Test("ends as one key when many processes make it at once")
    func race() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("edgenode-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path + "/node.key"
        let ids = try await withThrowingTaskGroup(of: NodeID.self) { group in
            for _ in 0..<16 { group.addTask { try NodeKeyFile.loadOrCreate(at: path).id } }
            return try await group.reduce(into: Set<NodeID>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test(
        "is refused when others can read or write it, with the remedy",
        arguments: [0o640, 0o604, 0o660, 0o620])
    func exposed(mode: Int) throws {
        try inFolder { path in
            _ = try NodeKeyFile.create(at: path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let error = try #require(throws: NodeKeyError.self) { try NodeKeyFile.loadOrCreate(at: path) }
            #expect(error.description.contains("chmod 600 \(path)"))
        }
    }

    @Test("is refused when the file is not whole", arguments: damages)
    func damaged(content: String) throws {
        try inFolder { path in
            try write(content, to: path)
            #expect(throws: NodeKeyError.malformed(path: path)) { try NodeKeyFile.loadOrCreate(at: path) }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
        }
    }

    static let damages = [
        "", "edgenode-key-v1", "edgenode-key-v1\n",
        "edgenode-key-v1\n" + String(repeating: "a", count: 63) + "\n",
        "edgenode-key-v1\n" + String(repeating: "a", count: 64),
        "edgenode-key-v1\n" + String(repeating: "A", count: 64) + "\n",
        "edgenode-key-v1\n" + String(repeating: "a", count: 64) + "\nmore\n",
        "edgenode-key-v1\n" + String(repeating: "g", count: 64) + "\n", "PRIVATE KEY\n",
        "edgenode-key-v1\n" + String(repeating: "aa:", count: 21) + "a\n",
    ]

    @Test("of a later version is named as such")
    func laterVersion() throws {
        try inFolder { path in
            try write("edgenode-key-v2\nsomething\n", to: path)
            #expect(throws: NodeKeyError.unknownVersion(path: path, found: "edgenode-key-v2")) {
                try NodeKeyFile.load(from: path)
            }
        }
    }

    @Test("is not read through a link, from a folder, or made where no folder is")
    func wrongPlaces() throws {
        try inFolder { path in
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            #expect(throws: NodeKeyError.notAFile(path: folder)) { try NodeKeyFile.load(from: folder) }
            _ = try NodeKeyFile.create(at: path)
            try FileManager.default.createSymbolicLink(atPath: path + ".link", withDestinationPath: path)
            #expect(throws: NodeKeyError.self) { try NodeKeyFile.loadOrCreate(at: path + ".link") }
            #expect(throws: NodeKeyError.self) { try NodeKeyFile.loadOrCreate(at: folder + "/none/node.key") }
        }
    }

    @Test("has one text for its public half")
    func text() throws {
        let id = try NodeKey.generate().id
        #expect(try NodeID(parsing: id.description) == id)
        #expect(id.description.count == NodeID.prefix.count + 43)
        for bad in [
            "", id.description + "=", String(id.description.dropFirst()), id.description + "A", "x:abc",
        ] {
            #expect(throws: NodeIDError.malformed(bad)) { try NodeID(parsing: bad) }
        }
        #expect(NodeID(bytes: [1, 2, 3]) == nil)
    }

    @Test("never shows its secret")
    func noLeak() throws {
        try inFolder { path in
            let key = try NodeKeyFile.create(at: path)
            let secret = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")[1]
            var shown = ""
            dump(key, to: &shown)
            #expect(!"\(key) \(String(reflecting: key)) \(shown)".contains(secret))
        }
    }

    private func write(_ content: String, to path: String) throws {
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(content.utf8), attributes: [.posixPermissions: 0o600]))
    }

    private func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
}
