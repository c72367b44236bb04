import Content
import Foundation
import Gossip

/// An invitation as a line of text: everything that a new node needs to join, nobody else being online
/// (docs/trust-model.md, "Joining"). Whoever has it can join with it once: it is a secret until then.
struct ClusterToken: Sendable {
    static let prefix = "edgenode-join-v1:"
    static let seedLimit = 16
    /// Characters of the longest one.
    static let textLimit = 8192

    let root: NodeID
    let secret: ClusterSecret
    let seeds: [ClusterSeed]
    /// The seed of the invitation's one-time key.
    let keySeed: [UInt8]
    let invitation: InvitationCertificate

    var text: String {
        var writer = WireWriter()
        writer.write(root.bytes)
        secret.withBytes { writer.write($0) }
        writer.write(keySeed)
        writer.writeBlock(invitation.bytes)
        writer.writeNumber(seeds.count)
        for seed in seeds {
            writer.writeText(seed.address)
            writer.write(seed.node.bytes)
        }
        return Self.prefix + Base64URL.encode(writer.bytes)
    }

    init(
        root: NodeID, secret: ClusterSecret, seeds: [ClusterSeed], keySeed: [UInt8],
        invitation: InvitationCertificate
    ) {
        (self.root, self.secret, self.seeds) = (root, secret, Array(seeds.prefix(Self.seedLimit)))
        (self.keySeed, self.invitation) = (keySeed, invitation)
    }

    /// - Throws: `CommandFailure` that says what is wrong with the text, never what is in it.
    init(parsing text: String) throws(CommandFailure) {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix(Self.prefix), text.utf8.count <= Self.textLimit else {
            throw CommandFailure(
                .usage,
                "this is no token: it begins with \(Self.prefix) and is one line, as `edgenode cluster invite` prints it"
            )
        }
        guard let bytes = Base64URL.decode(String(text.dropFirst(Self.prefix.count))) else {
            throw CommandFailure(.usage, "the token was cut or changed on the way; copy the whole line")
        }
        do {
            var reader = WireReader(bytes)
            root = try NodeID(from: &reader)
            guard let secret = try ClusterSecret(bytes: try reader.readBytes(ClusterSecret.byteCount)) else {
                throw WireError.truncated
            }
            self.secret = secret
            keySeed = Array(try reader.readBytes(32))
            var inner = WireReader(try reader.readBlock(limit: NodeCertificate.byteLimit))
            invitation = try InvitationCertificate(parsing: &inner)
            var seeds: [ClusterSeed] = []
            for _ in 0..<(try reader.readCount(limit: Self.seedLimit)) {
                seeds.append(
                    ClusterSeed(address: try reader.readText(limit: 300), node: try NodeID(from: &reader)))
            }
            self.seeds = seeds
            try reader.expectEnd()
        } catch {
            throw CommandFailure(
                .usage, "the token was cut or changed on the way (\(error)); copy the whole line")
        }
    }
}

/// A node that is asked for the others at the start.
struct ClusterSeed: Hashable, Sendable {
    /// `host:port`.
    let address: String
    let node: NodeID
}
