import ChunkStore
import Content
import Foundation

/// Versions of one real module, kept as a manifest and the deflate streams (Tests/Data/families).
struct ModuleFamily {
    struct Version {
        let name: String
        /// The zip as Go's zip writer made it.
        let zip: [UInt8]
        let sha256: String
    }
    let versions: [Version]

    /// - Parameter path: of the family's files without their ending.
    init(_ path: String) throws {
        let streams = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + ".bin")))
        let manifest = try String(contentsOf: URL(fileURLWithPath: path + ".txt"), encoding: .utf8)
        var module = ""
        var versions: [Version] = []
        var entries: [ZipEntryHeader] = []
        var data: [[UInt8]] = []
        var current: (name: String, sha256: String)?
        func finish() {
            guard let current else { return }
            versions.append(
                Version(name: current.name, zip: Self.zip(entries, data), sha256: current.sha256))
            (entries, data) = ([], [])
        }
        for line in manifest.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields[0] == "module" {
                module = String(fields[1])
            } else if fields[0] == "version" {
                finish()
                current = (String(fields[1]), String(fields[3]))
            } else if let version = current?.name, let start = Int(fields[1]), let count = Int(fields[2]),
                let size = UInt32(fields[3]), let crc = UInt32(fields[4])
            {
                entries.append(
                    ZipEntryHeader(
                        name: Array("\(module)@\(version)/\(fields[0])".utf8), crc32: crc,
                        uncompressedSize: size, utf8: false, data: .chunks(count: 1)))
                data.append(Array(streams[start..<start + count]))
            }
        }
        finish()
        self.versions = versions
    }

    /// Writes a zip from its parts; independent of the code that folds.
    private static func zip(_ entries: [ZipEntryHeader], _ data: [[UInt8]]) -> [UInt8] {
        TestZip(
            Swift.zip(entries, data).map { entry, data in
                TestZip.Entry(
                    name: String(decoding: entry.name, as: UTF8.self), data: data, crc32: entry.crc32,
                    uncompressedSize: entry.uncompressedSize)
            }
        ).bytes
    }
}

/// What folding a family came to.
struct FamilyFigures {
    var versions = 0
    var zips: Int64 = 0
    /// Bytes of packs: chunks, recipes and their headers.
    var packs: Int64 = 0
    /// Bytes that folding the last version added.
    var last: Int64 = 0
    var index: Int64 = 0

    var ratio: Double { Double(zips) / Double(packs) }

    /// Folds the zips one after another in a fresh store; nil when one of them does not come back byte for
    /// byte.
    static func measure(_ zips: [[UInt8]]) async throws -> FamilyFigures? {
        let directory = TestDirectory()
        let store = try await directory.open { $0.smallObjectLimit = 512 }
        let index = "index.sqlite"
        func size() -> Int64 {
            let path = directory.path + "/" + index
            return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64 ?? 0) ?? 0
        }
        var figures = FamilyFigures()
        for zip in zips {
            let digest = try await store.publish(zip)
            guard case .folded(let stored) = try await store.fold(digest) else { return nil }
            figures.versions += 1
            figures.zips += Int64(zip.count)
            figures.last = stored
        }
        figures.packs = store.usedBytes
        for zip in zips {
            guard try await store.bytes(Digest(of: zip)) == zip else { return nil }
        }
        await store.close()
        figures.index = size()
        return figures
    }

    /// What each version but the first costs between nodes, as a share of its zip: its recipe with the hashes of its chunks,
    /// and those chunks that the two versions before it do not have.
    static func wireShares(_ zips: [[UInt8]]) async throws -> [Double] {
        let directory = TestDirectory()
        let store = try await directory.open()
        var shares: [Double] = []
        var held: [Set<ChunkID>] = []
        for zip in zips {
            let digest = try await store.publish(zip)
            guard let recipe = try await store.travellingRecipe(of: digest) else {
                throw CocoaError(.featureUnsupported)
            }
            let lengths = try recipe.places().mapValues(\.count)
            if !held.isEmpty {
                let known = held.suffix(2).reduce(into: Set()) { $0.formUnion($1) }
                let missing = lengths.filter { !known.contains($0.key) }.values.reduce(0, +)
                shares.append(Double(recipe.encoded().count + missing) / Double(zip.count))
            }
            held.append(Set(lengths.keys))
        }
        await store.close()
        return shares
    }
}
