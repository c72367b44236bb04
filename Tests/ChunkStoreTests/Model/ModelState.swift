import ChunkStore
import Content

/// What a store must hold, as plain values: the model that the real one is compared with.
struct ModelState {
    /// The blobs held and whether that is certain; what was in flight when the power failed is not.
    var held: Set<Digest> = []
    var uncertain: Set<Digest> = []
    var names: [String: Digest] = [:]
    var uncertainNames: Set<String> = []
    var pins: Set<String> = []
    /// What a reader holds open.
    var open: Set<Digest> = []

    mutating func hold(_ digest: Digest, _ name: String) {
        held.insert(digest)
        uncertain.remove(digest)
        names[name] = digest
        uncertainNames.remove(name)
    }

    mutating func drop(_ digest: Digest) {
        held.remove(digest)
        uncertain.remove(digest)
        for name in names.filter({ $0.value == digest }).keys { names[name] = nil }
    }

    func isPinned(_ digest: Digest) -> Bool {
        let patterns = pins.map { NamePattern($0) }
        return names.contains { name, target in
            target == digest && !uncertainNames.contains(name) && patterns.contains { $0.matches(name) }
        }
    }
}

/// The blobs that the model test plays with: families of zips that share chunks, text, noise and small
/// objects. Made once.
struct ModelUniverse {
    struct Blob {
        let digest: Digest
        let bytes: [UInt8]
    }
    let blobs: [Blob]
    let byDigest: [Digest: [UInt8]]

    static let shared = ModelUniverse()

    private init() {
        var all: [[UInt8]] = []
        for family in 0..<3 {
            all += TestZip.family(versions: 6, files: 6, changed: 1, seed: UInt64(family)).map { $0 }
        }
        for seed in 0..<4 { all.append(randomBytes(3000 + Int(seed) * 100, seed: UInt64(seed) + 50)) }
        let text = (0..<900).flatMap { Array("line \($0 * 7) of a text\n".utf8) }
        all += [text, Array("first\n".utf8) + text]
        for seed in 0..<8 { all.append(randomBytes(40 + Int(seed) * 30, seed: UInt64(seed) + 70)) }
        blobs = all.map { Blob(digest: Digest(of: $0), bytes: $0) }
        byDigest = Dictionary(uniqueKeysWithValues: blobs.map { ($0.digest, $0.bytes) })
    }
}
