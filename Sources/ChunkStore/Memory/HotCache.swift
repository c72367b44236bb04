import Content
import Synchronization

/// What is answered without touching disk or database: hot references, small objects, open files, and what
/// was put but is not yet committed. Every call takes a lock for less than a microsecond.
final class HotCache: Sendable {
    /// Uses since they were last written to the index.
    struct Touches: Sendable {
        var blobs: [Digest: (hits: Int64, used: Int64)] = [:]
        var references: [ReferenceName: Int64] = [:]
        var count: Int { blobs.count + references.count }
        /// How many may come together before they are written.
        static let limit = 4096

        func write(to connection: Connection) throws(StoreError) {
            for (digest, touch) in blobs {
                try connection.run(
                    "UPDATE blobs SET hits = hits + ?, used = max(used, ?) WHERE digest = ?",
                    .integer(touch.hits), .integer(touch.used), .digest(digest))
            }
            for (name, used) in references {
                try connection.run(
                    "UPDATE refs SET used = max(used, ?) WHERE name = ?", .integer(used), .text(name.text))
            }
        }
    }

    private struct State {
        var objects: SieveCache<Digest, StoredObject>
        var files: SieveCache<Digest, StoredObject>
        var references: SieveCache<ReferenceName, Reference>
        var pendingObjects: [Digest: (object: StoredObject, uses: Int)] = [:]
        var pendingReferences: [ReferenceName: (reference: Reference, uses: Int)] = [:]
        /// Raised at every change of a key that falls into the slot: a reader that looked the key up in the
        /// index before the change must not put what it found into the cache after it.
        var versions = [UInt32](repeating: 0, count: 256)
        var touches = Touches()

        mutating func touch(_ digest: Digest, now: Int64) {
            // One look into the dictionary: this runs at every hit.
            Self.count(&touches.blobs[digest, default: (0, 0)], now)
        }

        private static func count(_ touch: inout (hits: Int64, used: Int64), _ now: Int64) {
            touch.hits += 1
            touch.used = now
        }
    }
    private let state: Mutex<State>
    private let clock: StoreClock

    init(limits: ChunkStore.MemoryLimits, clock: StoreClock) {
        self.clock = clock
        state = Mutex(
            State(
                objects: SieveCache(limit: limits.objectBytes), files: SieveCache(limit: limits.openFiles),
                references: SieveCache(limit: limits.references)))
    }

    func object(_ digest: Digest) -> StoredObject? {
        let now = clock.milliseconds()
        return state.withLock { state in
            guard let object = Self.find(digest, in: &state) else { return nil }
            state.touch(digest, now: now)
            return object
        }
    }

    func reference(_ name: ReferenceName) -> (Reference, StoredObject?)? {
        let now = clock.milliseconds()
        return state.withLock { state in
            guard let found = state.pendingReferences[name]?.reference ?? state.references.value(for: name)
            else { return nil }
            state.touches.references[name] = now
            let object = Self.find(found.digest, in: &state)
            if object != nil { state.touch(found.digest, now: now) }
            return (found, object)
        }
    }

    private static func find(_ digest: Digest, in state: inout State) -> StoredObject? {
        state.pendingObjects[digest]?.object ?? state.objects.value(for: digest)
            ?? state.files.value(for: digest)
    }

    /// What to remember before looking a key up in the index, and to hand to `fill` afterwards.
    func version(of key: some Hashable) -> UInt32 {
        state.withLock { $0.versions[key.hashValue & 255] }
    }

    /// Takes what a reader found, unless the key changed since `version` was asked for.
    func fill(_ object: StoredObject, version: UInt32) {
        let dropped = state.withLock { state -> [StoredObject] in
            guard state.versions[object.digest.hashValue & 255] == version else { return [] }
            return Self.insert(object, in: &state)
        }
        withExtendedLifetime(dropped) {}
    }

    func fill(_ reference: Reference, version: UInt32) {
        state.withLock { state in
            guard state.versions[reference.name.hashValue & 255] == version else { return }
            _ = state.references.insert(reference, for: reference.name, cost: 1)
        }
    }

    private static func insert(_ object: StoredObject, in state: inout State) -> [StoredObject] {
        switch object.body {
        case .bytes(let bytes): state.objects.insert(object, for: object.digest, cost: bytes.count + 128)
        case .file: state.files.insert(object, for: object.digest, cost: 1)
        case .recipe: []
        }
    }

    /// Makes committed content visible. Called by the index writer, in the order of commits.
    func committed(_ object: StoredObject?, _ references: [Reference]) {
        let dropped = state.withLock { state -> [StoredObject] in
            var dropped: [StoredObject] = []
            if let object {
                state.versions[object.digest.hashValue & 255] &+= 1
                dropped = Self.insert(object, in: &state)
            }
            for reference in references {
                state.versions[reference.name.hashValue & 255] &+= 1
                _ = state.references.insert(reference, for: reference.name, cost: 1)
            }
            return dropped
        }
        withExtendedLifetime(dropped) {}
    }

    /// Forgets what was removed. Called by the index writer, in the order of commits.
    func removed(_ digest: Digest?, _ names: [ReferenceName]) {
        let dropped = state.withLock { state -> [StoredObject?] in
            for name in names {
                state.versions[name.hashValue & 255] &+= 1
                _ = state.references.remove(name)
            }
            guard let digest else { return [] }
            state.versions[digest.hashValue & 255] &+= 1
            return [state.objects.remove(digest), state.files.remove(digest)]
        }
        withExtendedLifetime(dropped) {}
    }

    /// Lets go of a blob's open file, so that it can be told whether anybody else holds it.
    func letGoOfFile(_ digest: Digest) {
        let dropped = state.withLock { $0.files.remove(digest) }
        withExtendedLifetime(dropped) {}
    }

    /// Shows content that will be committed soon; `settle` must follow.
    func promise(_ object: StoredObject, _ references: [Reference]) {
        state.withLock { state in
            state.pendingObjects[object.digest, default: (object, 0)].uses += 1
            for reference in references {
                let uses = state.pendingReferences[reference.name]?.uses ?? 0
                state.pendingReferences[reference.name] = (reference, uses + 1)
            }
        }
    }

    /// Ends a promise, kept or broken.
    func settle(_ digest: Digest, _ names: [ReferenceName]) {
        state.withLock { state in
            if let pending = state.pendingObjects[digest] {
                state.pendingObjects[digest] = pending.uses > 1 ? (pending.object, pending.uses - 1) : nil
            }
            for name in names {
                guard let pending = state.pendingReferences[name] else { continue }
                state.pendingReferences[name] = pending.uses > 1 ? (pending.reference, pending.uses - 1) : nil
            }
        }
    }

    func touch(_ digest: Digest) {
        let now = clock.milliseconds()
        state.withLock { $0.touch(digest, now: now) }
    }

    func touch(_ name: ReferenceName) {
        let now = clock.milliseconds()
        state.withLock { $0.touches.references[name] = now }
    }

    var touchCount: Int { state.withLock { $0.touches.count } }

    func takeTouches() -> Touches {
        state.withLock { state in
            defer { state.touches = Touches() }
            return state.touches
        }
    }
}
