import Content
import Foundation
import Gossip

/// What `edgenode join` left in a data folder: who this member is, and whom it asks first.
struct JoinedFolder {
    let path: String
    let credentials: ClusterCredentials
    let seeds: [GossipConfiguration.Seed]

    init(_ path: String) throws {
        self.path = path
        func lines(_ name: String) throws -> [[String]] {
            try String(contentsOfFile: path + "/cluster/" + name, encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: " ").map(String.init) }
        }
        guard let text = try lines("secret").first?.first, let bytes = Base64URL.decode(text),
            let secret = try ClusterSecret(bytes: bytes)
        else { throw Trouble("\(path) holds no cluster secret") }
        var (root, certificate): (NodeID?, NodeCertificate?)
        var seeds: [GossipConfiguration.Seed] = []
        for line in try lines("membership") {
            switch (line.first, line.count) {
            case ("root", 2): root = try NodeID(parsing: line[1])
            case ("certificate", 2):
                var reader = WireReader(Base64URL.decode(line[1]) ?? [])
                certificate = try NodeCertificate(from: &reader)
            case ("seed", 3):
                guard let endpoint = Endpoint(parsing: line[1]) else { continue }
                seeds.append(.init(endpoint: endpoint, node: try NodeID(parsing: line[2])))
            default: break
            }
        }
        guard let root, let certificate else { throw Trouble("\(path) has not joined a cluster") }
        credentials = try ClusterCredentials(
            key: NodeKeyFile.load(from: path + "/node.key"), secret: secret, root: root,
            certificate: certificate)
        self.seeds = seeds
    }
}

/// Why this program ends.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
