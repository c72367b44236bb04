import ChunkStore
import Content
import PeerExchange

/// Small files that other nodes hold.
extension SmallFetch {
    /// A file that can never change, from whoever is nearest; proven like upstream's.
    func fromPeers(_ resource: GoResource, _ pending: SumCheck.Pending?) async -> Fetched? {
        guard let peers = delivery.peers, resource.isImmutable, await check.isProvable(resource),
            let file = await peers.whole(ContentAsk(.reference(resource.name)), limit: Int(resource.limit))
        else { return nil }
        if let objection = BodySanity.objection(to: file.bytes, as: resource) {
            await peers.lied(file.peer, what: "\(resource.name): \(objection)")
            return nil
        }
        var verification = Verification.notApplicable
        var sum: ModuleHash?
        if let module = resource.identity, let pending {
            let found = ModuleHash.goMod(file.bytes)
            do {
                verification = try await check.judge(
                    pending, resource, module, found: found, origin: file.peer.description)
            } catch {
                await peers.lied(file.peer, what: "\(error)")
                return nil
            }
            sum = found
        }
        return fetched(resource, file, verification, sum)
    }

    private func fetched(
        _ resource: GoResource, _ file: PeerFile, _ verification: Verification, _ sum: ModuleHash?
    ) -> Fetched {
        let isPrivate = file.facts.access == .private || check.isPrivate(resource.module)
        let now = delivery.clock.now
        return Fetched(
            reference: Reference(
                name: resource.name, digest: Digest(of: file.bytes), size: Int64(file.bytes.count),
                learned: now, checked: now, origin: file.peer.description, contentType: resource.contentType,
                verified: verification, access: isPrivate ? .private : .public, h1: sum?.description),
            bytes: file.bytes, isFromPeer: true)
    }

    /// A small file by the statements of other nodes, upstream being away and nothing held: a list, what a query
    /// stands for, or a file that no database could prove. It is kept, and makes no pin.
    func told(_ resource: GoResource) async -> Fetched? {
        guard let peers = delivery.peers, resource.kind != .zip,
            let statement = await peers.settled(resource.name)
        else { return nil }
        let ask = ContentAsk(.blob(statement.reference.digest), under: resource.name)
        guard let file = await peers.whole(ask, limit: Int(resource.limit)) else { return nil }
        guard Digest(statement.reference.digest.algorithm, of: file.bytes) == statement.reference.digest,
            BodySanity.objection(to: file.bytes, as: resource) == nil
        else {
            await peers.lied(file.peer, what: "other bytes than those of \(ask)")
            return nil
        }
        let made = fetched(resource, file, resource.identity == nil ? .notApplicable : .unverified, nil)
        var reference = made.reference
        reference.learned = statement.reference.learned
        reference.checked = statement.reference.checked
        reference.origin = statement.origin
        let told = Fetched(reference: reference, bytes: file.bytes, isFromPeer: true)
        if await delivery.mayTell(reference) { await keep(told) }
        logger.notice("\(resource.name) by the word of \(reference.origin): upstream is away")
        return told
    }
}

extension SumCheck {
    /// Whether bytes from anywhere can be proven: a database answers for the module, or this node's own upstream
    /// has shown the file before. A peer's bytes alone never make a first pin.
    func isProvable(_ resource: GoResource) async -> Bool {
        if !isPrivate(resource.module), authority.covers(resource.module) { return true }
        guard resource.identity != nil else { return false }
        return await pins.holds(resource.name)
    }
}
