import ChunkStore
import Content
import Logging

/// Decides whether a module file is what it should be: against a checksum database, or against the pin of
/// its first sight (architecture section 5, "Checksum database").
struct SumCheck: Sendable {
    let authority: any SumAuthority
    let pins: PinnedSums
    let privateModules: ModulePatterns
    let patience: Duration
    let metrics: Metrics
    let audit: any AuditLog
    let logger: Logger

    /// A look-up that runs beside the fetch.
    struct Pending: Sendable {
        /// Nil when no database answers for the module.
        let lookup: OneShot<SumLookup>?
    }

    func isPrivate(_ module: ModulePath) -> Bool { privateModules.matches(module) }

    /// Starts the look-up, unless the module has no database.
    func begin(_ module: ModuleIdentity) -> Pending {
        guard !isPrivate(module.path), authority.covers(module.path) else { return Pending(lookup: nil) }
        let lookup = OneShot<SumLookup>()
        Task.detached { lookup.fulfil(await authority.lookup(module)) }
        return Pending(lookup: lookup)
    }

    /// The verdict on a file whose sum was worked out; waits for the look-up at most for `patience`.
    /// - Throws: `DeliveryFailure.mismatch`, after having raised the alarm.
    func judge(
        _ pending: Pending, _ resource: GoResource, _ module: ModuleIdentity, found: ModuleHash,
        origin: String
    ) async throws -> Verification {
        guard let lookup = pending.lookup else {
            return try await comparePin(resource, found, origin: origin)
        }
        let answer =
            (try? await lookup.value(within: patience)) ?? .unreachable("no answer within \(patience)")
        return try judge(answer, resource, module, found: found, origin: origin)
    }

    /// The verdict once the database has spoken.
    func judge(
        _ answer: SumLookup, _ resource: GoResource, _ module: ModuleIdentity, found: ModuleHash,
        origin: String
    ) throws -> Verification {
        switch answer {
        case .sums(let lines):
            let subject: GoSumLine.Subject = resource.kind == .zip ? .zip : .goMod
            let sums = lines.filter { $0.module == module && $0.subject == subject }.map(\.hash)
            if sums.contains(found) { return .verified }
            guard let expected = sums.first else {
                return unverified(resource, "its record holds no such sum")
            }
            throw mismatch(
                resource, "the checksum database has", expected: expected.description, found: found,
                origin: origin)
        case .notFound(let reason): return unverified(resource, reason)
        case .unreachable(let reason): return unverified(resource, reason)
        case .invalid(let reason):
            logger.critical("ALARM: the checksum database for \(module) contradicts itself: \(reason)")
            return unverified(resource, reason)
        }
    }

    private func comparePin(
        _ resource: GoResource, _ found: ModuleHash, origin: String
    ) async throws -> Verification {
        let finding: PinnedSums.Finding
        do {
            finding = try await pins.check(resource.name, found, origin: origin)
        } catch {
            // A full disk passes content through; what could not be pinned is not called pinned.
            return unverified(resource, "its sum cannot be pinned: \(error)")
        }
        switch finding {
        case .same: return .pinnedAtFirstSight
        case .firstSight:
            audit.record(
                AuditEvent(
                    .policy, resource.name.text, reason: "first sum seen, pinned", origin: origin,
                    digest: found.description))
            return .pinnedAtFirstSight
        case .different(let pinned):
            throw mismatch(
                resource, "pinned at first sight is", expected: pinned, found: found, origin: origin)
        }
    }

    private func unverified(_ resource: GoResource, _ reason: String) -> Verification {
        metrics.unverified.add()
        audit.record(AuditEvent(.policy, resource.name.text, reason: "unverified: \(reason)"))
        logger.warning("\(resource.name) goes out unverified: \(reason)")
        return .unverified
    }

    private func mismatch(
        _ resource: GoResource, _ authority: String, expected: String, found: ModuleHash, origin: String
    ) -> DeliveryFailure {
        metrics.mismatches.add()
        audit.record(
            AuditEvent(
                .policy, resource.name.text, reason: "mismatch, dropped: \(authority) \(expected)",
                origin: origin, digest: found.description))
        let what =
            "SECURITY ERROR: \(resource.name) from \(origin) has the sum \(found), \(authority) \(expected): "
            + "it was dropped"
        logger.critical("ALARM: \(what)")
        return .mismatch(what)
    }
}
