import ChunkStore
import Content
import NIOCore
import ProxyFront
import Synchronization

/// A bundle as it is written: each object is checked against its digest on the way out, so that damage shows here and
/// not where the bundle was carried to.
final class BundleBody: BodyProducer {
    private static let block: Int64 = 1 << 20

    private struct Progress {
        var isHeadOut = false
        var index = 0
        var current: (object: StoredObject, offset: Int64, hasher: DigestHasher)?
    }

    private let head: [UInt8]
    private let objects: [BundleObject]
    private let store: ChunkStore
    private let progress = Mutex(Progress())
    /// The bundle's length in bytes.
    let byteCount: Int64

    init(head: [UInt8], manifest: BundleManifest, store: ChunkStore) {
        self.head = head
        self.store = store
        objects = manifest.objects.filter { !$0.isAbsent }
        byteCount = Int64(head.count) + manifest.contentSize
    }

    func next() async throws -> BodyPart? {
        // Never called before the call before has returned.
        var state = progress.withLock { $0 }
        defer { progress.withLock { $0 = state } }
        guard state.isHeadOut else {
            state.isHeadOut = true
            return .bytes(ByteBuffer(bytes: head))
        }
        while true {
            guard let current = state.current else {
                guard state.index < objects.count else { return nil }
                let wanted = objects[state.index]
                state.index += 1
                guard let object = try await store.object(wanted.digest), object.size == wanted.size else {
                    throw CommandFailure(
                        .incomplete,
                        "\(wanted.references[0].name) was evicted or dropped while it was exported; run the export again"
                    )
                }
                state.current = (object, 0, DigestHasher(wanted.digest.algorithm))
                continue
            }
            let object = current.object
            guard current.offset < object.size else {
                state.current = nil
                continue
            }
            var (offset, hasher) = (current.offset, current.hasher)
            let bytes = try await object.bytes(offset..<min(object.size, offset + Self.block))
            hasher.update(bytes)
            offset += Int64(bytes.count)
            // Before its last bytes go out, an object is known to be what it is called.
            if offset == object.size, hasher.finalize() != object.digest {
                throw try await damaged(object.digest)
            }
            state.current = (object, offset, hasher)
            return .bytes(ByteBuffer(bytes: bytes))
        }
    }

    private func damaged(_ digest: Digest) async throws -> CommandFailure {
        try await store.remove(digest, because: "its bytes were damaged when it was exported")
        return CommandFailure(
            .inputOutput,
            "\(digest) is damaged on disk and was dropped: have it fetched again, then export again")
    }

    func cancelled() {}
}

/// What a node holds, as a file for `edgenode export --inventory`.
final class InventoryBody: BodyProducer {
    private struct Progress {
        var isHeadOut = false
        var isOver = false
        var last: Int64 = 0
        var count = 0
    }

    private let store: ChunkStore
    private let progress = Mutex(Progress())

    init(_ store: ChunkStore) { self.store = store }

    func next() async throws -> BodyPart? {
        var state = progress.withLock { $0 }
        defer { progress.withLock { $0 = state } }
        guard state.isHeadOut else {
            state.isHeadOut = true
            return .bytes(ByteBuffer(bytes: Inventory.head))
        }
        guard !state.isOver else { return nil }
        let page = try await store.blobs(after: state.last)
        guard let end = page.last else {
            state.isOver = true
            return .bytes(ByteBuffer(bytes: Inventory.end(state.count)))
        }
        state.last = end.id
        state.count += page.count
        return .bytes(ByteBuffer(bytes: Inventory.lines(page.map(\.digest))))
    }

    func cancelled() {}
}
