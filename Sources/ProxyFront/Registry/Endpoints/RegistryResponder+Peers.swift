import ChunkStore
import Content
import PeerExchange

/// Content of images that other nodes hold (docs/peers.md).
///
/// A digest is asked of peers before upstream; a tag is upstream's word first, and peers' statements only while that
/// is away. A peer gives content with the class that its link has there, and what is private is taken only for those
/// who may have private content of the repository.
extension RegistryResponder {
    /// Whether private content that peers link to the repository may be taken for somebody.
    func takesPrivate(
        _ identity: UpstreamIdentity, _ digest: Digest, _ visit: RegistryVisit
    ) async -> Bool {
        guard delivery.peers != nil else { return false }
        switch identity {
        case .node: return true
        case .anonymous: return false
        case .client(let credential):
            let (source, repository) = (source, visit.repository)
            return await proven.admits(credential, to: repository, client: visit.request.client) {
                () async throws(UpstreamFailure) in
                _ = try await source.headBlob(digest, of: repository, as: .client(credential))
            }
        }
    }

    /// A manifest by its digest, proven and stored.
    /// - Parameters:
    ///   - takesPrivate: whether it is for somebody who may have private content of the repository.
    ///   - tag: what upstream has just said that the digest stands for, with its word about the class.
    func fromPeers(
        _ digest: Digest, _ repository: Repository, takesPrivate: Bool,
        for source: (tag: Tag?, facts: ManifestFacts)? = nil
    ) async -> FetchedManifest? {
        guard let peers = delivery.peers,
            let file = await peers.whole(repository.ask(for: digest), limit: Int(Manifest.limit))
        else { return nil }
        guard takesPrivate || file.facts.access == .public else { return nil }
        guard Digest(digest.algorithm, of: file.bytes) == digest else {
            await peers.lied(file.peer, what: "other bytes than those of \(repository)@\(digest)")
            return nil
        }
        let content = try? Manifest(parsing: file.bytes)
        let type = source?.facts.mediaType ?? file.facts.contentType ?? MediaType.octets
        var access = file.facts.access
        if let said = source?.facts.access { access = learned(said, of: repository) }
        let fetched = FetchedManifest(
            digest: digest, bytes: file.bytes, mediaType: content.map { $0.type(told: type) } ?? type,
            access: access, origin: file.peer.description, tagOrigin: source?.facts.origin, isFromPeer: true)
        misses.forget(repository.referenceName(of: digest))
        await shelf.keep(fetched, in: repository, tag: source?.tag)
        return fetched
    }

    /// A tag that is not held: upstream says what it stands for, which no rate limit counts, and peers give that.
    /// - Returns: nil when the manifest has to be asked for upstream.
    func resolveForPeers(
        _ tag: Tag, _ repository: Repository, _ identity: UpstreamIdentity, _ accept: AcceptList
    ) async throws(DeliveryFailure) -> FetchedManifest? {
        guard delivery.peers != nil else { return nil }
        let facts: ManifestFacts
        do throws(UpstreamFailure) {
            facts = try await source.head(.tag(tag), of: repository, accept: accept.types, as: identity)
        } catch {
            // What a GET would say better, it says.
            guard error.isOutage else { return nil }
            throw .upstream(error)
        }
        guard let digest = facts.digest else { return nil }
        return await fromPeers(digest, repository, takesPrivate: true, for: (tag, facts))
    }

    /// What a tag stands for by the statements of other nodes, upstream being away: never older than what is held,
    /// and never instead of this node's own last answer.
    func toldByPeers(
        _ tag: Tag, held: Reference?, _ visit: RegistryVisit, as identity: UpstreamIdentity
    ) async -> (Reference, StoredObject)? {
        guard let peers = delivery.peers, held.map({ $0.isPeersWord }) ?? true else { return nil }
        let (repository, name) = (visit.repository, visit.repository.referenceName(of: tag))
        guard let statement = await peers.settled(name) else { return nil }
        let digest = statement.reference.digest
        let link = repository.referenceName(of: digest)
        let takesPrivate = await mayHave(statement.reference, visit) {
            identity async throws(UpstreamFailure) in
            _ = try await self.source.head(.digest(digest), of: repository, accept: [], as: identity)
        }
        if await local(link) == nil {
            _ = await fromPeers(digest, repository, takesPrivate: takesPrivate)
        }
        guard let (found, object) = await local(link), found.contentType != MediaType.octets,
            takesPrivate || found.access == .public
        else { return nil }
        var told = statement.reference
        told.name = name
        told.size = object.size
        told.contentType = found.contentType
        told.access = found.access
        told.verified = .notApplicable
        told.origin = statement.origin
        if await delivery.mayTell(told) { await shelf.set(told) }
        logger.notice("\(name) is \(digest) by the word of \(told.origin): upstream is away")
        return (told, object)
    }
}

extension Repository {
    /// Something of the repository, asked of other nodes under its link.
    func ask(for digest: Digest) -> ContentAsk {
        ContentAsk(.blob(digest), under: referenceName(of: digest))
    }
}

extension Reference {
    /// Only other nodes have said so.
    var isPeersWord: Bool { origin.hasPrefix(PeerName.originPrefix) }
}

extension StatementRules.Held {
    init(_ reference: Reference) {
        self.init(checked: reference.checked, isPeersWord: reference.isPeersWord)
    }
}

extension Delivery {
    /// Whether what others told of a name may be written: while they were asked, upstream may have come back.
    func mayTell(_ told: Reference) async -> Bool {
        do {
            let held = try await store.reference(told.name)
            return held.map { StatementRules.Held($0).yields(to: told.checked) } ?? true
        } catch {
            return false
        }
    }
}

extension PeerStatement {
    /// The origin of a reference that rests on it.
    var origin: String { PeerName.originPrefix + signers.map(\.text).joined(separator: ", ") }
}
