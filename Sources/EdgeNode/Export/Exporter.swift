import ChunkStore
import Content
import Gossip
import ProxyFront

/// Makes bundles of what a store holds (docs/bundle-format.md).
struct Exporter: Sendable {
    let store: ChunkStore
    let sums: SumDatabases
    let audit: any AuditLog

    /// Looks up everything that was asked for, and what proves it.
    /// - Throws: `CommandFailure` for words that mean nothing; what the store throws.
    func plan(_ request: ExportRequest) async throws -> (summary: ExportSummary, manifest: BundleManifest) {
        var plan = ExportPlan()
        var modules: [ModuleIdentity] = []
        for text in request.modules { modules.append(try Self.module(text)) }
        var modFiles: [ModuleIdentity] = []
        for text in request.modFiles { modFiles.append(try Self.module(text)) }
        for module in modules {
            try await add(module, [.mod, .zip], optional: [.info], request, to: &plan)
        }
        for module in modFiles { try await add(module, [.mod], optional: [], request, to: &plan) }
        for name in await sums.names(proving: modules + modFiles) {
            if let reference = try await store.reference(name) {
                plan.add(reference, place: ExportPlan.Place.proof)
            }
        }
        let platforms = try request.platforms.map { text throws(CommandFailure) -> Platform in
            if let platform = Platform(parsing: text) { return platform }
            throw CommandFailure(.usage, "--platform \(text): write os/architecture, such as linux/arm64")
        }
        for text in request.images {
            let image: ImageReference
            do { image = try ImageReference(parsing: text) } catch {
                throw CommandFailure(.usage, "\(text): \(error)")
            }
            let images = ImageExport(
                store: store, image: image, platforms: platforms, includesPrivate: request.includesPrivate,
                isIncomplete: request.isIncomplete)
            try await images.add(to: &plan)
        }
        return try await finish(plan, request)
    }

    private func finish(
        _ plan: ExportPlan, _ request: ExportRequest
    ) async throws -> (ExportSummary, BundleManifest) {
        var summary = ExportSummary()
        summary.refused = plan.refused
        summary.notes = plan.notes
        if summary.refused.isEmpty, plan.digests.isEmpty {
            summary.refused = ["nothing of that is held here"]
        }
        guard summary.refused.isEmpty else { return (summary, try BundleManifest([])) }
        let wanted = plan.digests
        var held: Set<Digest> = []
        if let path = request.inventory {
            do {
                held = try await FileBytes.onThread { try Self.listed(in: path, of: wanted) }
            } catch let error as SourceError {
                throw CommandFailure(.noInput, "--inventory \(error)")
            } catch let error as InventoryError {
                throw CommandFailure(.badData, "\(path): \(error)")
            }
        }
        let manifest = try plan.manifest(leavingOut: held)
        for object in manifest.objects {
            if object.isAbsent {
                summary.leftOut += 1
                summary.leftOutBytes += object.size
            } else {
                summary.objects += 1
                summary.bytes += object.size
            }
        }
        return (summary, manifest)
    }

    private static func module(_ text: String) throws(CommandFailure) -> ModuleIdentity {
        do {
            guard let at = text.lastIndex(of: "@") else {
                throw CommandFailure(.usage, "\(text) names no version: write module@version")
            }
            return ModuleIdentity(
                path: try ModulePath(String(text[..<at])), version: try ModuleVersion(text[at...].dropFirst())
            )
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.usage, "\(text): \(error)")
        }
    }

    /// Reads an inventory; blocks.
    private static func listed(in path: String, of wanted: Set<Digest>) throws -> Set<Digest> {
        let file = try OpenFile.regular(path, shown: path)
        var reader = InventoryReader(wanted: wanted)
        var offset: Int64 = 0
        let size = file.byteCount
        while offset < size {
            let count = min(1 << 20, size - offset)
            try reader.receive(try file.bytes(at: offset, count: Int(count)))
            offset += count
        }
        try reader.finish()
        return reader.listed
    }

    private func add(
        _ module: ModuleIdentity, _ kinds: [ModuleFile.Kind], optional: [ModuleFile.Kind],
        _ request: ExportRequest,
        to plan: inout ExportPlan
    ) async throws {
        for kind in kinds + optional {
            guard let file = try? ModuleFile(module, kind) else { continue }
            guard let reference = try await store.reference(file.name),
                try await store.holding(reference.digest) != nil
            else {
                if !optional.contains(kind), !request.isIncomplete {
                    plan.refuse(
                        "\(file.name) is not held: edgenode warm \(module), or --incomplete for what is there"
                    )
                }
                continue
            }
            guard reference.access == .public || request.includesPrivate else {
                plan.refuse("\(file.name) is private: --include-private takes it along")
                continue
            }
            plan.add(reference, place: kind == .zip ? ExportPlan.Place.zip : ExportPlan.Place.smallFile)
            if let pin = PinnedSumName(of: file), let pinned = try await store.reference(pin.name) {
                plan.add(pinned, place: ExportPlan.Place.proof)
            }
        }
    }

    /// The bundle of a manifest, signed.
    func bundle(_ manifest: BundleManifest, key: NodeKey) throws -> BundleBody {
        let bytes = try manifest.encoded()
        let head = try BundleHead(key: key.id.description, manifest: bytes) { key.sign($0) }
        return BundleBody(head: head.bytes + bytes, manifest: manifest, store: store)
    }
}
