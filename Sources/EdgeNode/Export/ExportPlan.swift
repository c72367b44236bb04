import ChunkStore
import Content
import ProxyFront

/// What goes into a bundle, gathered name by name.
struct ExportPlan: Sendable {
    /// When an object comes, so that what is listed comes before what lists it (docs/bundle-format.md, "Order").
    enum Place {
        static let proof = 0
        static let smallFile = 1
        static let zip = 2
        static let blob = 3
        /// A manifest stands this much higher than the highest that it lists.
        static let manifest = 4
    }

    private struct Entry {
        var size: Int64
        var place: Int
        var references: [Reference]
    }

    private var entries: [Digest: Entry] = [:]
    private var names: Set<ReferenceName> = []
    /// What stands in the way.
    private(set) var refused: [String] = []
    private(set) var notes: [String] = []

    mutating func add(_ reference: Reference, place: Int) {
        guard names.insert(reference.name).inserted else { return }
        var entry = entries[reference.digest] ?? Entry(size: reference.size, place: place, references: [])
        entry.place = max(entry.place, place)
        entry.references.append(reference)
        entries[reference.digest] = entry
    }

    mutating func refuse(_ line: String) { if !refused.contains(line) { refused.append(line) } }
    mutating func note(_ line: String) { if !notes.contains(line) { notes.append(line) } }

    var digests: Set<Digest> { Set(entries.keys) }

    /// - Parameter held: what the target has.
    func manifest(leavingOut held: Set<Digest>) throws(BundleError) -> BundleManifest {
        let ordered = entries.map { digest, entry in
            let references = entry.references.sorted {
                $0.name.text.utf8.lexicographicallyPrecedes($1.name.text.utf8)
            }
            // The head of a checksum database is what the rest is proven by, and small.
            let isHead = references.contains {
                $0.name.text.hasPrefix("sumdb/") && $0.name.text.hasSuffix("/served")
            }
            let object = BundleObject(
                digest: digest, size: entry.size, isAbsent: held.contains(digest) && !isHead,
                references: references)
            return (place: entry.place, first: references[0].name.text, object: object)
        }.sorted { left, right in
            left.place == right.place
                ? left.first.utf8.lexicographicallyPrecedes(right.first.utf8) : left.place < right.place
        }
        return try BundleManifest(ordered.map(\.object))
    }
}
