import ChunkStore
import Content
import Logging

/// Takes in the files of modules from elsewhere than an upstream, by the rules of the Go endpoints (docs/offline.md,
/// "What is believed"): each sum is worked out anew and held against the checksum database's records, the pins and what
/// is held; what is verified or pinned is never replaced. Asks nobody.
package struct ModuleIntake: Sendable {
    private let store: ChunkStore
    private let sums: SumDatabases
    private let pins: PinnedSums
    private let privateModules: ModulePatterns
    /// Is told what waits for its database; nil = nobody waits for it before the next start.
    private let unverified: UnverifiedContent?
    private let audit: any AuditLog
    private let logger: Logger

    package init(
        store: ChunkStore, sums: SumDatabases, privateModules: ModulePatterns, clock: StoreClock = .system,
        unverified: UnverifiedContent? = nil, audit: any AuditLog, logger: Logger
    ) {
        self.store = store
        self.sums = sums
        self.privateModules = privateModules
        self.unverified = unverified
        self.audit = audit
        self.logger = logger
        pins = PinnedSums(store: store, clock: clock)
    }

    /// Takes one file in.
    /// - Parameters:
    ///   - expected: the digest that its bytes must have, where one is known.
    ///   - progress: is told how many bytes came in.
    /// - Throws: `ModuleRefusal`; what reading the file and writing the store throw. Nothing is kept then.
    package func take(
        _ file: ModuleFile, from slice: FileSlice, expecting expected: Digest? = nil, claim: ModuleClaim,
        progress: @Sendable (Int64) -> Void
    ) async throws -> ModuleOutcome {
        guard slice.count <= file.limit else {
            throw ModuleRefusal(
                file, "it has \(slice.count) bytes, more than the \(file.limit) that one may have")
        }
        guard file.kind == .zip else {
            let bytes = try await FileBytes.read(slice)
            progress(slice.count)
            return try await take(file, bytes, expecting: expected, claim: claim)
        }
        let reading = ModuleZipReading(file.module)
        let ingest = try await BlobIntake(store).copy(
            slice, expecting: expected, observer: reading, progress: progress)
        do {
            let report: ModuleZipReport
            do {
                report = try await reading.report(ingest.slice(0..<slice.count))
            } catch let refusal as ZipRefusal {
                throw ModuleRefusal(file, "it is no module zip: \(refusal)")
            }
            let (digest, size) = try await ingest.seal()
            let verdict = try await judge(file, sum: report.h1, digest: digest, size: size, claim: claim)
            switch verdict {
            case .held: await ingest.abandon()
            case .update(let reference):
                await ingest.abandon()
                try await store.setReference(reference)
            case .store(let reference, _):
                _ = try await ingest.publish([reference], staysWhole: report.isHostile)
                stored(reference)
            }
            return verdict.outcome
        } catch {
            await ingest.abandon()
            throw error
        }
    }

    /// Takes a file in whose blob the store holds already, without a name or under other ones.
    /// - Returns: nil when the blob is not held.
    package func adopt(_ file: ModuleFile, _ digest: Digest, claim: ModuleClaim) async throws
        -> ModuleOutcome?
    {
        guard let object = try await store.object(digest) else { return nil }
        guard file.kind == .zip else {
            return try await take(
                file, try await object.wholeBytes(atMost: file.limit), expecting: digest, claim: claim)
        }
        let reading = ModuleZipReading(file.module)
        var offset: Int64 = 0
        while offset < object.size {
            try Task.checkCancellation()
            let block = try await object.bytes(offset..<min(object.size, offset + 1 << 20))
            let start = offset
            try await FileBytes.onThread {
                try block.withUnsafeBytes { try reading.front(advanced: $0, at: start) }
            }
            offset += Int64(block.count)
        }
        let report: ModuleZipReport
        do {
            var whole: FileSlice?
            if case .file(let held) = object.body { whole = FileSlice(file: held, range: 0..<object.size) }
            report = try await reading.report(whole)
        } catch let lack as ModuleZipReading.NeedsFile {
            throw ModuleRefusal(file, "it cannot be read where it is held: \(lack.reason)")
        } catch let refusal as ZipRefusal {
            throw ModuleRefusal(file, "it is no module zip: \(refusal)")
        }
        let verdict = try await judge(file, sum: report.h1, digest: digest, size: object.size, claim: claim)
        switch verdict {
        case .held: break
        case .update(let reference), .store(let reference, _):
            try await store.setReference(reference)
            stored(reference)
        }
        return verdict.outcome
    }

    /// Pins a module's sum, as a trusted signer has it.
    /// - Returns: false when it was pinned before.
    /// - Throws: `ModuleRefusal` when another sum is pinned, or when the bytes are no sum.
    package func pin(_ pin: PinnedSumName, to bytes: [UInt8], origin: String) async throws -> Bool {
        guard let sum = ModuleHash(String(decoding: bytes, as: UTF8.self)),
            bytes.elementsEqual(sum.description.utf8)
        else { throw ModuleRefusal(pin.file, "its pin is no sum") }
        switch try await pins.check(pin.file.name, sum, origin: origin) {
        case .same: return false
        case .firstSight:
            audit.record(
                AuditEvent(
                    .policy, pin.file.name.text, reason: "pinned by an import", origin: origin,
                    digest: sum.description))
            return true
        case .different(let pinned):
            throw ModuleRefusal(
                pin.file, "it is pinned to \(pinned) here, and to \(sum) in the import; the pin stays")
        }
    }

    /// Takes a small file in.
    private func take(
        _ file: ModuleFile, _ bytes: [UInt8], expecting expected: Digest?, claim: ModuleClaim
    ) async throws -> ModuleOutcome {
        let digest = Digest(of: bytes)
        if let expected, expected != digest {
            throw StoreError.digestMismatch(expected: expected, found: digest)
        }
        if let objection = BodySanity.objection(to: bytes, as: file.resource) {
            throw ModuleRefusal(file, objection)
        }
        let sum = file.kind == .mod ? ModuleHash.goMod(bytes) : nil
        let verdict = try await judge(
            file, sum: sum, digest: digest, size: Int64(bytes.count), claim: claim)
        switch verdict {
        case .held: break
        case .update(let reference): try await store.setReference(reference)
        case .store(let reference, _):
            try await store.keep(bytes, as: reference, sync: true)
            stored(reference)
        }
        return verdict.outcome
    }

    // MARK: judging

    private enum Verdict {
        case held
        /// The bytes are there, or others of the same sum: only what is known of them changes.
        case update(Reference)
        case store(Reference, isPinned: Bool)

        var outcome: ModuleOutcome {
            switch self {
            case .held, .update: .held
            case .store(let reference, let isPinned): isPinned ? .pinned : .stored(reference.verified)
            }
        }
    }

    private func judge(
        _ file: ModuleFile, sum: ModuleHash?, digest: Digest, size: Int64, claim: ModuleClaim
    ) async throws -> Verdict {
        if let sum, let stated = claim.h1, stated != sum.description {
            throw refusal(file, "its sum is \(sum), it should be \(stated)", sum: sum, claim: claim)
        }
        let held = try await store.reference(file.name)
        let record = await sums.held(file.module)
        if let held, let sum, held.h1 != sum.description, held.verified != .unverified {
            throw refusal(
                file, "its sum is \(sum), what is held here has \(held.h1 ?? "none") and stays", sum: sum,
                claim: claim)
        }
        let (verified, isPinned) = try await verdict(on: file, sum: sum, record: record, claim: claim)
        if let held, sum != nil, held.h1 != sum?.description, verified != .verified {
            throw refusal(
                file, "other content of that name is held, and nothing proves either", sum: sum, claim: claim)
        }
        let access = access(of: file, isRecorded: record != nil, claim: claim)
        if var known = held, sum == nil || known.h1 == sum?.description {
            guard
                known.verified == .unverified && verified != .unverified
                    || known.access != access && access == .public
            else { return .held }
            if known.verified == .unverified { known.verified = verified }
            if access == .public { known.access = .public }
            return .update(known)
        }
        return .store(
            Reference(
                name: file.name, digest: digest, size: size, learned: claim.learned, checked: claim.checked,
                origin: claim.origin, validator: claim.validator, contentType: file.contentType,
                verified: verified, access: access, h1: sum?.description), isPinned: isPinned)
    }

    /// What the file's sum is worth.
    private func verdict(
        on file: ModuleFile, sum: ModuleHash?, record: [GoSumLine]?, claim: ModuleClaim
    ) async throws -> (Verification, isPinned: Bool) {
        guard let sum else { return (.notApplicable, false) }
        let isPrivate = privateModules.matches(file.module.path)
        if !isPrivate, let record {
            let subject: GoSumLine.Subject = file.kind == .zip ? .zip : .goMod
            let known = record.filter { $0.module == file.module && $0.subject == subject }.map(\.hash)
            if known.contains(sum) { return (.verified, false) }
            guard let expected = known.first else { return (.unverified, false) }
            throw refusal(
                file, "SECURITY ERROR: its sum is \(sum), the checksum database has \(expected)", sum: sum,
                claim: claim)
        }
        if !isPrivate, sums.covers(file.module.path) {
            return (claim.isTrusted && claim.verified == .verified ? .verified : .unverified, false)
        }
        switch try await pins.check(file.name, sum, origin: claim.origin) {
        case .same: return (.pinnedAtFirstSight, false)
        case .firstSight:
            audit.record(
                AuditEvent(
                    .policy, file.name.text, reason: "first sum seen in an import, pinned",
                    origin: claim.origin,
                    digest: sum.description))
            return (.pinnedAtFirstSight, true)
        case .different(let pinned):
            throw refusal(
                file, "SECURITY ERROR: its sum is \(sum), pinned at first sight is \(pinned)", sum: sum,
                claim: claim)
        }
    }

    /// Public only with a reason: a public database has a record of it, or its bringer says so. Modules that the
    /// configuration calls private stay that.
    private func access(of file: ModuleFile, isRecorded: Bool, claim: ModuleClaim) -> AccessClass {
        if privateModules.matches(file.module.path) { return .private }
        if claim.isTrusted { return claim.access }
        return isRecorded ? .public : claim.access
    }

    private func refusal(
        _ file: ModuleFile, _ reason: String, sum: ModuleHash?, claim: ModuleClaim
    ) -> ModuleRefusal {
        audit.record(
            AuditEvent(
                .policy, file.name.text, reason: "import refused: \(reason)", origin: claim.origin,
                digest: sum?.description))
        logger.error("\(file.name) from \(claim.origin) is refused: \(reason)")
        return ModuleRefusal(file, reason)
    }

    private func stored(_ reference: Reference) {
        if reference.verified == .unverified { unverified?.add(reference.name) }
        if reference.verified != .notApplicable { audit.record(.stored(reference, digest: reference.digest)) }
    }
}
