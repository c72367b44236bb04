import ChunkStore
import Content
import Foundation
import Logging
import ProxyFront
import Testing

@Suite("What a pinned image keeps")
struct ImageReachTests {
    private let store: ChunkStore
    private let repository: Repository

    private init(in folder: String) async throws {
        var configuration = ChunkStore.Configuration(directory: folder)
        configuration.capacity = 2_000_000
        configuration.highWater = 0.9
        configuration.lowWater = 0.5
        configuration.reservedFree = 0
        configuration.upkeep.isEnabled = false
        store = try await ChunkStore.open(
            configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        repository = try ImageReference(parsing: "nginx").repository
        store.keepPinnedImagesWhole()
    }

    init() async throws {
        try await self.init(
            in: FileManager.default.temporaryDirectory.appendingPathComponent("reach-\(UUID())").path)
    }

    private func reference(_ name: ReferenceName, _ digest: Digest, type: String) -> Reference {
        Reference(
            name: name, digest: digest, size: 0, learned: Date(), checked: Date(), origin: "o",
            contentType: type, access: .public)
    }

    /// Stores a blob that is linked to the repository.
    private func blob(_ seed: UInt8, size: Int = 100_000) async throws -> Descriptor {
        var bytes = [UInt8](repeating: seed, count: size)
        for index in bytes.indices { bytes[index] ^= UInt8(truncatingIfNeeded: index &* 31 &+ index >> 8) }
        let digest = Digest(of: bytes)
        let ingest = try await store.beginIngest(expected: digest, size: Int64(size))
        try await ingest.write(bytes, at: 0)
        _ = try await ingest.seal()
        let link = reference(repository.referenceName(of: digest), digest, type: MediaType.octets)
        _ = try await ingest.publish([link])
        return Descriptor(mediaType: "application/x", digest: digest, size: Int64(size))
    }

    private func manifest(_ text: String, type: String, tag: String? = nil) async throws -> Descriptor {
        let digest = Digest(of: Array(text.utf8))
        var references = [reference(repository.referenceName(of: digest), digest, type: type)]
        if let tag {
            references.append(reference(repository.referenceName(of: try Tag(tag)), digest, type: type))
        }
        try await store.put(Array(text.utf8), references: references)
        return Descriptor(mediaType: type, digest: digest, size: Int64(text.utf8.count))
    }

    private func json(_ descriptor: Descriptor) -> String {
        "{\"mediaType\":\"\(descriptor.mediaType)\",\"digest\":\"\(descriptor.digest)\",\"size\":\(descriptor.size)}"
    }

    private func image(_ layers: [Descriptor], tag: String? = nil) async throws -> Descriptor {
        try await manifest(
            "{\"config\":\(json(layers[0])),\"layers\":[\(layers.dropFirst().map(json).joined(separator: ","))]}",
            type: MediaType.manifest, tag: tag)
    }

    private func isHeld(_ descriptor: Descriptor) async throws -> Bool {
        try await store.object(descriptor.digest) != nil
    }

    @Test("is its index, the manifests held, configurations and layers, a layer shared with another tag too")
    func eviction() async throws {
        let shared = try await blob(1)
        let own = [try await blob(2, size: 2000), shared, try await blob(3)]
        let platform = try await image(own)
        let absent = Descriptor(mediaType: MediaType.manifest, digest: Digest(of: [9]), size: 10)
        let index = try await manifest(
            "{\"manifests\":[\(json(platform)),\(json(absent))]}", type: MediaType.index, tag: "1.27")
        let later = [try await blob(4, size: 2000), shared, try await blob(5)]
        _ = try await image(later, tag: "1.28")
        let pattern = repository.referenceName(of: try Tag("1.27")).text
        try await store.pin(pattern)

        // Twice as much as fits.
        for seed in UInt8(20)..<60 { _ = try await blob(seed) }
        for part in [index, platform] + own { #expect(try await isHeld(part), "\(part)") }
        #expect(try await !isHeld(later[2]))

        #expect(try await !store.evict(own[2].digest))
        try await store.unpin(pattern)
        #expect(try await store.evict(own[2].digest))
        await store.close()
    }

    @Test("is nothing of what is no manifest, and ends in a circle and at bytes that are none")
    func oddities() async throws {
        let layer = try await blob(1)
        let link = reference(repository.referenceName(of: layer.digest), layer.digest, type: MediaType.octets)
        #expect(await store.contents(ofImages: [link]).isEmpty)
        let bad = try await manifest("no manifest", type: MediaType.manifest, tag: "bad")
        let outer = try await manifest(
            "{\"manifests\":[\(json(bad)),\(json(bad))]}", type: MediaType.index, tag: "outer")
        let name = repository.referenceName(of: try Tag("outer"))
        let reached = await store.contents(ofImages: [reference(name, outer.digest, type: MediaType.index)])
        #expect(reached == [bad.digest])
        await store.close()
    }
}
