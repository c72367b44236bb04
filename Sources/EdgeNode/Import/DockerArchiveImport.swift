import ChunkStore
import Content
import ProxyFront

import struct FoundationEssentials.Data
import struct FoundationEssentials.Date
import class FoundationEssentials.JSONDecoder
import class FoundationEssentials.JSONEncoder

/// Takes in what `docker save` of older releases writes: unpacked layers without a manifest. One is made for them, the
/// same each time; its digest is not that of the registry that the image came from.
struct DockerArchiveImport: Sendable {
    private static let layerType = "application/vnd.oci.image.layer.v1.tar"
    private static let configType = "application/vnd.oci.image.config.v1+json"

    let tree: any SourceTree
    let name: String?
    let access: AccessClass
    let images: ImageIntake
    let now: Date
    let tally: ImportTally

    private struct Entry: Decodable {
        var config: String
        var repoTags: [String]?
        var layers: [String]

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
    }

    /// The part of a configuration that says which layers it is made for.
    private struct Configuration: Decodable {
        struct RootFS: Decodable {
            var layers: [String]
            enum CodingKeys: String, CodingKey { case layers = "diff_ids" }
        }

        var rootfs: RootFS
    }

    private struct Part: Sendable {
        var descriptor: Descriptor
        var slice: FileSlice
    }

    func run() async throws {
        let tree = tree
        let entries = try await FileBytes.onThread { () throws -> [Entry] in
            let bytes = try tree.bytes("manifest.json", limit: Manifest.limit) ?? []
            do { return try JSONDecoder().decode([Entry].self, from: Data(bytes)) } catch {
                throw SourceError("manifest.json is not what docker save writes: \(error)")
            }
        }
        tally.begin("what docker save wrote", total: entries.reduce(0) { $0 + $1.layers.count + 2 })
        let tagCount = entries.reduce(0) { $0 + max(1, $1.repoTags?.count ?? 0) }
        let names = ImageNames(given: name, count: tagCount)
        for entry in entries {
            do {
                var tags: [ImageReference] = []
                let repoTags = entry.repoTags ?? []
                for text in repoTags { tags.append(try names.name(full: text, ref: nil, shown: text)) }
                if repoTags.isEmpty { tags.append(try names.name(full: nil, ref: nil, shown: entry.config)) }
                try await take(entry, as: tags)
            } catch let refusal as ImageRefusal {
                tally.refuse("\(refusal)")
            } catch StoreError.digestMismatch(let expected, let found) {
                tally.refuse(
                    "\(entry.config): its layer \(expected) has the digest \(found): the archive is damaged")
            }
        }
    }

    private func take(_ entry: Entry, as tags: [ImageReference]) async throws {
        let (config, layers) = try await FileBytes.onThread { try self.parts(of: entry) }
        let bytes = try Self.manifest(config.descriptor, layers.map(\.descriptor))
        let manifest = Descriptor(
            mediaType: MediaType.manifest, digest: Digest(of: bytes), size: Int64(bytes.count))
        let repositories = tags.reduce(into: [Repository]()) { found, tag in
            if !found.contains(tag.repository) { found.append(tag.repository) }
        }
        for part in layers + [config] {
            try Task.checkCancellation()
            let isHeld = try await images.store.holding(part.descriptor.digest) != nil
            let outcome = try await images.take(
                part.descriptor.digest, size: part.descriptor.size, from: isHeld ? nil : part.slice,
                references: repositories.map {
                    reference($0.referenceName(of: part.descriptor.digest), part.descriptor, MediaType.octets)
                }, progress: tally.read)
            outcome == .held ? tally.held() : tally.stored(part.descriptor.size)
            tally.finished()
        }
        var references: [Reference] = []
        let children = Set((layers + [config]).map(\.descriptor.digest)).sorted()
        for repository in repositories {
            references.append(
                reference(repository.referenceName(of: manifest.digest), manifest, MediaType.manifest))
            references += children.map {
                reference(repository.partName(of: $0), manifest, MediaType.manifest)
            }
        }
        for tag in tags {
            var mutable = reference(
                tag.repository.referenceName(of: tag.tag ?? .latest), manifest, MediaType.manifest)
            mutable.verified = .notApplicable
            references.append(mutable)
        }
        if try await images.store.holding(manifest.digest) == nil {
            // Made here, so that it stands in no file: the link brings the bytes, the other names follow.
            try await images.store.keep(bytes, as: references[0], sync: true)
            tally.stored(manifest.size)
        } else {
            tally.held()
        }
        _ = try await images.take(
            manifest.digest, size: manifest.size, from: nil, references: references, progress: tally.read)
        tally.finished()
    }

    /// The configuration and the layers, whose digests the configuration states; blocks.
    private func parts(of entry: Entry) throws -> (config: Part, layers: [Part]) {
        guard let bytes = try tree.bytes(entry.config, limit: Manifest.limit),
            let file = try tree.file(entry.config)
        else { throw ImageRefusal("the archive lacks \(entry.config)") }
        guard let configuration = try? JSONDecoder().decode(Configuration.self, from: Data(bytes)),
            configuration.rootfs.layers.count == entry.layers.count,
            entry.layers.count <= Manifest.descriptorLimit
        else {
            throw ImageRefusal(
                "\(entry.config) is no configuration of an image of \(entry.layers.count) layers")
        }
        let config = Part(
            descriptor: Descriptor(
                mediaType: Self.configType, digest: Digest(of: bytes), size: Int64(bytes.count)), slice: file)
        let layers = try zip(entry.layers, configuration.rootfs.layers).map { path, stated in
            guard let slice = try tree.file(path) else { throw ImageRefusal("the archive lacks \(path)") }
            guard let digest = try? Digest(parsing: stated) else {
                throw ImageRefusal("\(entry.config): \(stated.debugDescription) is no digest")
            }
            return Part(
                descriptor: Descriptor(mediaType: Self.layerType, digest: digest, size: slice.count),
                slice: slice)
        }
        return (config, layers)
    }

    private struct Made: Encodable {
        struct Pointer: Encodable {
            var digest: String
            var mediaType: String
            var size: Int64

            init(_ descriptor: Descriptor) {
                (digest, mediaType, size) = ("\(descriptor.digest)", descriptor.mediaType, descriptor.size)
            }
        }

        var config: Pointer
        var layers: [Pointer]
        var mediaType = MediaType.manifest
        var schemaVersion = 2
    }

    private static func manifest(_ config: Descriptor, _ layers: [Descriptor]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(
            try encoder.encode(Made(config: Made.Pointer(config), layers: layers.map { Made.Pointer($0) })))
    }

    private func reference(_ name: ReferenceName, _ target: Descriptor, _ type: String) -> Reference {
        Reference(
            name: name, digest: target.digest, size: target.size, learned: now, checked: now,
            origin: "import",
            contentType: type, verified: .verified, access: access)
    }
}
