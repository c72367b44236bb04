import Content
import Foundation
import Gossip

/// That this node has joined: the root, its own certificate, and whom to ask first. A text file, one fact a line.
struct ClusterMembership: Sendable {
    static let version = "edgenode-cluster-v1"
    private static let limit = 64 << 10

    var root: NodeID
    var certificate: NodeCertificate
    var seeds: [ClusterSeed]

    func write(to path: String) throws(CommandFailure) {
        var lines = [Self.version, "root \(root)", "certificate \(Base64URL.encode(certificate.encoded))"]
        lines += seeds.map { "seed \($0.address) \($0.node)" }
        try OwnFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
    }

    static func read(_ path: String) throws(CommandFailure) -> ClusterMembership {
        let text = String(decoding: try OwnFile.read(path, limit: limit), as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        guard lines.first == [version] else {
            throw CommandFailure(.badData, "\(path) does not begin with \(version); join the cluster again")
        }
        do {
            var (root, certificate): (NodeID?, NodeCertificate?) = (nil, nil)
            var seeds: [ClusterSeed] = []
            for line in lines.dropFirst() {
                switch (line.first, line.count) {
                case ("root", 2): root = try NodeID(parsing: line[1])
                case ("certificate", 2):
                    var reader = WireReader(Base64URL.decode(line[1]) ?? [])
                    certificate = try NodeCertificate(from: &reader)
                case ("seed", 3):
                    seeds.append(ClusterSeed(address: line[1], node: try NodeID(parsing: line[2])))
                default: throw WireError.malformed("the line \"\(line.first ?? "")\"")
                }
            }
            guard let root, let certificate else { throw WireError.truncated }
            return ClusterMembership(root: root, certificate: certificate, seeds: seeds)
        } catch {
            throw CommandFailure(.badData, "\(path) is damaged: \(error); join the cluster again")
        }
    }
}
