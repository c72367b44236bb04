import ChunkStore
import Content
import Foundation
import Gossip
import Logging
import PeerExchange

/// A member with a good certificate that lies, about each blob in its own way, and about tags.
struct LyingMember {
    let member: SpeakingMember

    /// - Parameter plan: a file of lines `LIE DIGEST`, or `tag NAME DIGEST`; the true bytes lie in `folder`.
    init(_ joined: JoinedFolder, at endpoint: Endpoint, folder: String, plan: String, logger: Logger)
        async throws
    {
        var lies: [Digest: (lie: Lie, body: HeldBody)] = [:]
        var tags: [String: Digest] = [:]
        for line in try String(contentsOfFile: plan, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let digest = try Digest(parsing: "sha256:" + (words.last ?? ""))
            if words.count == 3, words[0] == "tag" {
                tags[words[1]] = digest
            } else if words.count == 2, let lie = Lie(rawValue: words[0]) {
                lies[digest] = (lie, lie.body(for: try HeldBody(digest, in: folder)))
            } else {
                throw Trouble("no lie: \(line)")
            }
        }
        let credentials = joined.credentials
        let (known, statements) = (lies, try tags.mapValues { try Self.later($0, credentials) })
        member = try await SpeakingMember(joined, at: endpoint, logger: logger) { bytes, _ in
            guard let request = try? PeerRequest.decode(bytes) else {
                return .reply(PeerReply.unsupported.encoded)
            }
            switch request {
            case .ping: return .reply(PeerReply.ok([]).encoded)
            case .statement(let name):
                guard let said = statements[name.text]?(name) else {
                    return .reply(PeerReply.notHeld.encoded)
                }
                return .reply(PeerReply.ok(said).encoded)
            case .find(let ask, _, _, _, _), .bytes(let ask, _, _):
                guard case .blob(let digest) = ask.subject, let (lie, body) = known[digest] else {
                    return .reply(PeerReply.notHeld.encoded)
                }
                return lie.answer(request, body, credentials)
            default: return .reply(PeerReply.notHeld.encoded)
            }
        }
        member.gossip.hold(add: lies.keys.map { InventoryID(blob: $0, secret: credentials.secret) })
    }

    /// A statement with a good signature, dated five years ahead.
    private static func later(
        _ digest: Digest, _ credentials: ClusterCredentials
    ) throws -> @Sendable (ReferenceName) -> [UInt8] {
        let then = Date().addingTimeInterval(5 * 365 * 86_400)
        return { name in
            Statement(
                Reference(
                    name: name, digest: digest, size: 1000, learned: then, checked: then, origin: "upstream",
                    contentType: "application/vnd.oci.image.manifest.v1+json", access: .public),
                credentials: credentials
            ).encoded
        }
    }
}
