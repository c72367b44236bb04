import ChunkStore
import Content

/// The sums of modules that no checksum database knows, as they were first seen from one's own upstream
/// (architecture section 5). They are small objects of the store, kept apart from the files themselves, so
/// that a pin outlives the file's eviction.
package struct PinnedSums: Sendable {
    /// What the names of pins begin with; the store should never evict these.
    package static let prefix = "gosum/"

    enum Finding: Sendable, Equatable {
        case firstSight
        case same
        case different(pinned: String)
    }

    let store: ChunkStore
    let clock: StoreClock

    /// Whether a file's sum is pinned.
    func holds(_ name: ReferenceName) async -> Bool {
        guard let pin = try? ReferenceName(Self.prefix + name.text.dropFirst(3)) else { return false }
        return (try? await store.reference(pin)) != nil
    }

    /// Holds `sum` against the pin of `name` (a file's reference name), and pins it when there is none.
    func check(_ name: ReferenceName, _ sum: ModuleHash, origin: String) async throws -> Finding {
        let pin = try ReferenceName(Self.prefix + name.text.dropFirst(3))
        if let reference = try await store.reference(pin),
            let object = try await store.object(reference.digest),
            case .bytes(let bytes) = object.body
        {
            let pinned = String(decoding: bytes, as: UTF8.self)
            return pinned == sum.description ? .same : .different(pinned: pinned)
        }
        let bytes = Array(sum.description.utf8)
        let now = clock.now
        let reference = Reference(
            name: pin, digest: Digest(of: bytes), size: Int64(bytes.count), learned: now, checked: now,
            origin: origin, verified: .pinnedAtFirstSight, access: .private)
        try await store.keep(bytes, as: reference, sync: true)
        return .firstSight
    }
}
