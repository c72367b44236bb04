import ChunkStore
import Content
import Foundation

/// One of the child's workers: changes its own blobs and names at random, for ever.
struct Worker {
    let number: Int
    let store: ChunkStore
    let log: Log
    var chance: SystemRandomNumberGenerator = SystemRandomNumberGenerator()
    let contents: [Int: [UInt8]]

    init(number: Int, store: ChunkStore, log: Log) {
        self.number = number
        self.store = store
        self.log = log
        contents = Dictionary(
            uniqueKeysWithValues: CrasherKeys.blobs(ofWorker: number).map {
                ($0, CrasherKeys.bytes($0))
            })
    }

    mutating func run() async throws {
        while true {
            guard let blob = contents.keys.sorted().randomElement(using: &chance), let bytes = contents[blob]
            else { return }
            let digest = Digest(of: bytes)
            switch Int.random(in: 0..<18, using: &chance) {
            case 0..<6: try await store(blob, bytes, digest)
            case 6..<8: try await remove(blob, digest)
            case 8: try await leave(bytes, digest)
            case 9: try await store.rewritePacks()
            case 10: try await store.settle(digest)
            case 11..<15: _ = try await store.fold(digest)
            case 15: try await store.unfold(digest)
            case 16: try await evict(blob, digest)
            default: try await store.collectGarbage()
            }
        }
    }

    private func reference(_ blob: Int, _ digest: Digest) throws -> Reference {
        Reference(
            name: try ReferenceName(CrasherKeys.name(blob)), digest: digest, size: 0, learned: Date(),
            checked: Date(), origin: "crasher")
    }

    private mutating func store(_ blob: Int, _ bytes: [UInt8], _ digest: Digest) async throws {
        let keys = [CrasherKeys.blob(blob), CrasherKeys.name(blob)]
        for key in keys { log.begin(key, "held") }
        if bytes.count <= CrasherKeys.smallObjectLimit, Bool.random(using: &chance) {
            _ = try await store.put(bytes, references: [reference(blob, digest)])
        } else {
            let resumed = try await store.parkedIngest(expected: digest)
            let ingest: Ingest
            if let resumed {
                ingest = resumed
            } else {
                ingest = try await store.beginIngest(expected: digest)
            }
            let middle = Int.random(in: 0...bytes.count, using: &chance)
            try await ingest.write(bytes[middle...], at: Int64(middle))
            try await ingest.write(bytes[..<middle], at: 0)
            try ingest.setSize(Int64(bytes.count))
            _ = try await ingest.seal()
            _ = try await ingest.publish([reference(blob, digest)])
        }
        for key in keys { log.end(key) }
    }

    private func remove(_ blob: Int, _ digest: Digest) async throws {
        let keys = [CrasherKeys.blob(blob), CrasherKeys.name(blob)]
        for key in keys { log.begin(key, "-") }
        _ = try await store.remove(digest, because: "the crasher says so")
        for key in keys { log.end(key) }
    }

    private func evict(_ blob: Int, _ digest: Digest) async throws {
        let keys = [CrasherKeys.blob(blob), CrasherKeys.name(blob)]
        for key in keys { log.begin(key, "-") }
        try await store.evict(digest)
        for key in keys { log.end(key) }
    }

    /// An ingest that is abandoned, parked or simply left.
    private mutating func leave(_ bytes: [UInt8], _ digest: Digest) async throws {
        let ingest = try await store.beginIngest(expected: digest, size: Int64(bytes.count))
        try await ingest.write(bytes.dropLast(bytes.count / 4), at: 0)
        switch Int.random(in: 0..<3, using: &chance) {
        case 0: await ingest.abandon()
        case 1: await ingest.park()
        default: break
        }
    }
}
