import ChunkStore
import Content
import ProxyFront

/// Takes a bundle in, object by object in its own order (docs/bundle-format.md, "What an import believes").
struct BundleImport: Sendable {
    let bundle: BundleFile
    let importer: Importer
    let tally: ImportTally

    func run() async throws {
        let objects = bundle.manifest.objects
        tally.begin("a bundle of \(bundle.head.key)", total: objects.count)
        try await takeRecords()
        let images = ImageIntake(store: importer.store, audit: importer.audit)
        for index in objects.indices {
            try Task.checkCancellation()
            for reference in objects[index].references where reference.name.text.hasPrefix("go") {
                try await collecting { try await take(reference, at: index) }
            }
            let pictures = objects[index].references.filter { StoredImageName($0.name) != nil }
            if !pictures.isEmpty {
                try await collecting {
                    let slice = try await available(index, for: pictures[0].name)
                    let outcome = try await images.take(
                        objects[index].digest, size: objects[index].size, from: slice, references: pictures,
                        progress: tally.read)
                    outcome == .held ? tally.held() : tally.stored(objects[index].size)
                }
            }
            for reference in objects[index].references where !Self.isKnown(reference.name) {
                tally.refuse("\(reference.name): this version does not know what such a name means")
            }
            tally.finished()
        }
        if bundle.byteCount < bundle.announcedByteCount {
            tally.refuse(
                "the bundle is cut short: it has \(bundle.byteCount) of \(bundle.announcedByteCount) bytes; copy it again "
                    + "and import it again, what came in is kept")
        } else if bundle.byteCount > bundle.announcedByteCount {
            tally.note("bytes follow the bundle's end; they were not looked at")
        }
    }

    /// The names of the format; others are from a later version.
    private static func isKnown(_ name: ReferenceName) -> Bool {
        ModuleFile(name) != nil || PinnedSumName(name) != nil || StoredImageName(name) != nil
            || BundleRecords.databaseName(of: name) != nil
    }

    /// Runs one object's part; what speaks against the object alone is noted, and the import goes on.
    private func collecting(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let refusal as ModuleRefusal {
            tally.refuse("\(refusal)")
        } catch let refusal as ImageRefusal {
            tally.refuse("\(refusal)")
        } catch let error as StoreError {
            guard case .digestMismatch = error else { throw error }
            tally.refuse("the bundle is damaged: \(error)")
        }
    }

    /// The object's bytes; nil when the store holds it.
    private func available(_ index: Int, for name: ReferenceName) async throws -> FileSlice? {
        let object = bundle.manifest.objects[index]
        if try await importer.store.holding(object.digest) != nil { return nil }
        if let slice = bundle.slice(index) { return slice }
        throw ImageRefusal(
            object.isAbsent
                ? "\(name): \(object.digest) was left out of the bundle and is not held: export again, without --inventory "
                    + "or with a new one"
                : "\(name): the bundle ends before it")
    }

    private func take(_ reference: Reference, at index: Int) async throws {
        let object = bundle.manifest.objects[index]
        if let pin = PinnedSumName(reference.name) {
            let bytes = try await bytes(index, limit: 256, for: reference.name)
            let isNew = try await importer.modules.pin(pin, to: bytes, origin: reference.origin)
            isNew ? tally.stored(object.size) : tally.held()
            return
        }
        guard let file = ModuleFile(reference.name) else { return }
        // What is known already needs no second look at its bytes: this is what makes a repeated import quick.
        if let held = try await importer.store.reference(file.name), held.digest == object.digest,
            held.verified != .unverified, held.access == .public || reference.access == .private
        {
            tally.held()
            return
        }
        let claim = ModuleClaim(trusting: reference)
        if let slice = try await available(index, for: reference.name) {
            let outcome = try await importer.modules.take(
                file, from: slice, expecting: object.digest, claim: claim, progress: tally.read)
            tally.took(file, outcome, bytes: object.size)
        } else if let outcome = try await importer.modules.adopt(file, object.digest, claim: claim) {
            tally.took(file, outcome, bytes: 0)
        }
    }

    private func bytes(_ index: Int, limit: Int64, for name: ReferenceName) async throws -> [UInt8] {
        let object = bundle.manifest.objects[index]
        guard object.size <= limit else { throw ImageRefusal("\(name): it has \(object.size) bytes") }
        guard let slice = try await available(index, for: name) else {
            return try await importer.store.object(object.digest)?.wholeBytes(atMost: limit) ?? []
        }
        let bytes = try await FileBytes.read(slice)
        let found = Digest(object.digest.algorithm, of: bytes)
        guard found == object.digest else {
            throw StoreError.digestMismatch(expected: object.digest, found: found)
        }
        return bytes
    }

    // MARK: checksum databases

    private func takeRecords() async throws {
        let (bundle, store) = (bundle, importer.store)
        for records in try await FileBytes.onThread({ BundleRecords.all(in: bundle, store: store) }) {
            guard let intake = await importer.sums.absorb(records) else {
                tally.note(
                    "the bundle has records of the checksum database \(records.database), which is not configured here"
                )
                continue
            }
            for _ in 0..<intake.kept { tally.stored(0) }
            for _ in 0..<intake.held { tally.held() }
            for line in intake.refused { tally.refuse(line) }
        }
    }
}
