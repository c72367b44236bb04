import ChunkStore
import Content
import ProxyFront

import struct FoundationEssentials.Date

/// Takes the images of an OCI image layout in (OCI image specification 1.1, "Image Layout"), blobs before the
/// manifests that list them.
struct OCILayoutImport: Sendable {
    private static let maximumDepth = 8
    private static let maximumParts = 100_000

    let tree: any SourceTree
    let name: String?
    let access: AccessClass
    let images: ImageIntake
    let now: Date
    let tally: ImportTally

    func run() async throws {
        let tree = tree
        let index = try await FileBytes.onThread { () throws -> Manifest in
            guard let bytes = try tree.bytes("index.json", limit: Manifest.limit) else {
                throw SourceError("the layout has no index.json")
            }
            do { return try Manifest(parsing: bytes) } catch { throw SourceError("index.json: \(error)") }
        }
        let names = ImageNames(given: name, count: index.manifests.count)
        var plans: [Plan] = []
        for root in index.manifests {
            do {
                let image = try names.name(
                    full: root.annotations[ImageNames.fullName], ref: root.annotations[ImageNames.refName],
                    shown: "\(root.digest)")
                plans.append(try await FileBytes.onThread { try self.plan(root, as: image) })
            } catch let refusal as ImageRefusal {
                tally.refuse("\(refusal)")
            }
        }
        tally.begin("an OCI image layout", total: plans.reduce(0) { $0 + $1.parts.count })
        for plan in plans { try await take(plan) }
    }

    /// What an image is made of, in the order in which it is taken in.
    private struct Plan: Sendable {
        struct Part: Sendable {
            var descriptor: Descriptor
            /// What it lists, when it is a manifest.
            var children: [Descriptor]
            /// What it refers to, when it is a manifest that does.
            var subject: Descriptor?
            var isManifest: Bool
        }

        let image: ImageReference
        var parts: [Part] = []
        var seen: Set<Digest> = []
        var lacking: [String] = []
        /// Entries of an index that are not there, which is how a layout of some platforms looks.
        var skipped: [Descriptor] = []
    }

    private static func path(_ digest: Digest) -> String {
        "blobs/\(digest.algorithm.rawValue)/\(digest.hex)"
    }

    /// Reads the manifests; blocks.
    private func plan(_ root: Descriptor, as image: ImageReference) throws -> Plan {
        var plan = Plan(image: image)
        guard try tree.file(Self.path(root.digest)) != nil else {
            throw ImageRefusal("\(image): the layout lacks its manifest \(root.digest)")
        }
        try collect(root, depth: 0, into: &plan)
        guard plan.lacking.isEmpty else {
            throw ImageRefusal(
                "\(image): the layout lacks \(plan.lacking.prefix(5).joined(separator: ", "))"
                    + (plan.lacking.count > 5 ? " and \(plan.lacking.count - 5) more" : ""))
        }
        return plan
    }

    private func collect(_ descriptor: Descriptor, depth: Int, into plan: inout Plan) throws {
        guard plan.seen.insert(descriptor.digest).inserted else { return }
        guard plan.seen.count <= Self.maximumParts, depth <= Self.maximumDepth else {
            throw ImageRefusal("\(plan.image): it is made of too many parts, or nested too deep")
        }
        guard let slice = try tree.file(Self.path(descriptor.digest)) else {
            // Foreign layers are had from elsewhere.
            if descriptor.urls.isEmpty { plan.lacking.append("\(descriptor.digest)") }
            return
        }
        guard slice.count == descriptor.size else {
            throw ImageRefusal(
                "\(plan.image): \(descriptor.digest) has \(slice.count) bytes in the layout, its manifest says "
                    + "\(descriptor.size)")
        }
        guard MediaType.isManifest(descriptor.mediaType) else {
            plan.parts.append(.init(descriptor: descriptor, children: [], isManifest: false))
            return
        }
        let bytes = try tree.bytes(Self.path(descriptor.digest), limit: Manifest.limit) ?? []
        guard Digest(descriptor.digest.algorithm, of: bytes) == descriptor.digest else {
            throw ImageRefusal(
                "\(plan.image): \(descriptor.digest) is damaged: its bytes have another digest")
        }
        let manifest: Manifest
        do { manifest = try Manifest(parsing: bytes) } catch {
            throw ImageRefusal("\(plan.image): \(descriptor.digest): \(error)")
        }
        let isIndex = MediaType.isIndex(descriptor.mediaType)
        for child in manifest.children {
            if isIndex, try tree.file(Self.path(child.digest)) == nil {
                plan.skipped.append(child)
                continue
            }
            try collect(child, depth: depth + 1, into: &plan)
        }
        if isIndex, !manifest.manifests.isEmpty, plan.skipped.count == manifest.manifests.count {
            plan.lacking.append("every manifest of its index")
        }
        plan.parts.append(
            .init(
                descriptor: descriptor, children: manifest.children, subject: manifest.subject,
                isManifest: true))
    }

    private func take(_ plan: Plan) async throws {
        for child in plan.skipped {
            tally.note(
                "\(plan.image): \(child.platform.map { "\($0)" } ?? "\(child.digest)") is not in the source")
        }
        var parts: Set<Digest> = []
        for (index, part) in plan.parts.enumerated() {
            try Task.checkCancellation()
            let isRoot = index == plan.parts.count - 1
            var references = [
                reference(
                    plan.image.repository.referenceName(of: part.descriptor.digest), part.descriptor,
                    part.isManifest)
            ]
            for child in part.children where parts.insert(child.digest).inserted {
                references.append(
                    reference(plan.image.repository.partName(of: child.digest), part.descriptor, true))
            }
            if let subject = part.subject {
                let name = plan.image.repository.subjectName(
                    of: part.descriptor.digest, subject: subject.digest)
                references.append(reference(name, part.descriptor, true))
            }
            if isRoot, let tag = plan.image.tag {
                var mutable = reference(plan.image.repository.referenceName(of: tag), part.descriptor, true)
                mutable.verified = .notApplicable
                references.append(mutable)
            }
            do {
                try await take(part.descriptor, references)
            } catch StoreError.digestMismatch(let expected, let found) {
                tally.refuse("\(plan.image): \(expected) is damaged: its bytes have the digest \(found)")
                return
            } catch let refusal as ImageRefusal {
                tally.refuse("\(refusal)")
                return
            }
            tally.finished()
        }
    }

    private func take(_ descriptor: Descriptor, _ references: [Reference]) async throws {
        let tree = tree
        let isHeld = try await images.store.holding(descriptor.digest) != nil
        let slice =
            isHeld ? nil : try await FileBytes.onThread { try tree.file(Self.path(descriptor.digest)) }
        let outcome = try await images.take(
            descriptor.digest, size: descriptor.size, from: slice, references: references,
            progress: tally.read)
        outcome == .held ? tally.held() : tally.stored(descriptor.size)
    }

    private func reference(_ name: ReferenceName, _ target: Descriptor, _ isManifest: Bool) -> Reference {
        Reference(
            name: name, digest: target.digest, size: target.size, learned: now, checked: now,
            origin: "import",
            contentType: isManifest ? target.mediaType : MediaType.octets, verified: .verified, access: access
        )
    }
}
