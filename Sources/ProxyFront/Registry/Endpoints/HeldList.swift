import ChunkStore
import Content

/// What a list is asked for upstream once for.
struct ListFlightKey: Hashable, Sendable {
    let name: ReferenceName
    let identity: UpstreamIdentity
}

/// A list as the store keeps it.
struct HeldList: Sendable {
    let bytes: [UInt8]
    let access: AccessClass
    let origin: String
}

/// Lists change without notice: kept for a while, asked for again, and served as last seen while upstream is away.
extension RegistryResponder {
    /// What asks upstream for a list.
    typealias ListQuestion = @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> HeldList

    /// How a list came out.
    enum ListOutcome {
        case fresh([UInt8])
        /// Upstream is away: what was seen last, if anything.
        case away([UInt8]?, RegistryAnswers.Staleness)
        case failed(DeliveryFailure)
    }

    func list(
        _ name: ReferenceName, type: String, _ visit: RegistryVisit, ask: @escaping ListQuestion
    ) async -> ListOutcome {
        let probe: @Sendable (UpstreamIdentity) async throws(UpstreamFailure) -> Void = {
            identity async throws(UpstreamFailure) in _ = try await ask(identity)
        }
        var held: (Reference, [UInt8])?
        if let (reference, object) = await local(name), await mayHave(reference, visit, probe: probe),
            let bytes = await object.allBytes()
        {
            if age(reference) < settings.listsFreshFor { return .fresh(bytes) }
            held = (reference, bytes)
        }
        let identity = await identity(visit, probe: probe)
        let result: Result<HeldList, DeliveryFailure>
        do {
            result = try await listFlights.run(ListFlightKey(name: name, identity: identity)) {
                await self.fetch(name, type: type, visit.repository, identity, ask)
            }.0
        } catch {
            return .failed(.cancelled)
        }
        switch result {
        case .success(let list): return .fresh(list.bytes)
        case .failure(let failure):
            learned(failure, of: visit.repository, as: identity)
            if failure.isVerdict { return .failed(failure) }
            if let held { return .away(held.1, stale(held.0, because: failure)) }
            metrics.stale.add()
            return .away(nil, RegistryAnswers.Staleness(age: 0, reason: "what is held only: \(failure)"))
        }
    }

    private func fetch(
        _ name: ReferenceName, type: String, _ repository: Repository, _ identity: UpstreamIdentity,
        _ ask: ListQuestion
    ) async -> Result<HeldList, DeliveryFailure> {
        do throws(DeliveryFailure) {
            try misses.check(name, as: identity)
            let list: HeldList
            do throws(UpstreamFailure) { list = try await ask(identity) } catch { throw .upstream(error) }
            misses.forget(name)
            await keep(list, name, type: type, access: learned(list.access, of: repository))
            return .success(list)
        } catch {
            misses.note(error, of: name, as: identity)
            return .failure(error)
        }
    }

    /// A list that cannot be stored is served all the same.
    private func keep(_ list: HeldList, _ name: ReferenceName, type: String, access: AccessClass) async {
        let (now, digest) = (delivery.clock.now, Digest(of: list.bytes))
        let reference = Reference(
            name: name, digest: digest, size: Int64(list.bytes.count), learned: now, checked: now,
            origin: list.origin, contentType: type, access: access)
        do {
            try await delivery.store.keep(list.bytes, as: reference, sync: false)
        } catch {
            logger.warning("\(name) is passed on without being stored: \(error)")
        }
    }
}
