import ChunkStore
import Content
import Foundation
import Testing

@Suite("Families of real modules")
struct FamilyTests {
    /// Tests/Data/families beside this file's folder.
    private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Data/families").path

    @Test("26 real versions fold to at most an eighth of their zips, each byte-exact")
    func folds() async throws {
        let family = try ModuleFamily(Self.data + "/std-math")
        #expect(family.versions.count == 26)
        for version in family.versions {
            #expect(Digest(of: version.zip).hex == version.sha256, "\(version.name)")
        }
        let figures = try await FamilyFigures.measure(family.versions.map(\.zip))
        guard let figures else {
            Issue.record("a version did not fold or did not come back byte for byte")
            return
        }
        print("std/math: \(figures)")
        #expect(figures.packs * 8 <= figures.zips, "1/\(figures.ratio)")
    }

    @Test("A patch release costs at most 15 % of its zip on the wire where the one before is held")
    func travels() async throws {
        let family = try ModuleFamily(Self.data + "/std-math")
        let shares = try await FamilyFigures.wireShares(family.versions.map(\.zip))
        var patches: [Double] = []
        for (number, share) in shares.enumerated() {
            let (old, new) = (family.versions[number].name, family.versions[number + 1].name)
            let line = { (name: String) in name.split(separator: ".").prefix(2) }
            if line(old) == line(new) { patches.append(share) }
        }
        print("std/math on the wire: \(patches.map { ($0 * 1000).rounded() / 10 }) % between patch releases")
        #expect(patches.count > 10)
        #expect(patches.allSatisfy { $0 <= 0.15 })
    }
}

/// The table of docs/measurements/folding.md; scripts/measure-families.sh packs the zips and calls it.
@Suite("FamilyMeasurement")
struct FamilyMeasurement {
    private static let root = ProcessInfo.processInfo.environment["EDGENODE_FAMILIES"]

    @Test("Table of the families in EDGENODE_FAMILIES", .enabled(if: root != nil))
    func table() async throws {
        let root = try #require(Self.root)
        print(
            "| family | versions | zips, KB | packs, KB | ratio | last version, KB | index, KB | next version on the wire, median and most |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for family in try FileManager.default.contentsOfDirectory(atPath: root).sorted() {
            let folder = root + "/" + family
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted {
                $0.compare($1, options: .numeric) == .orderedAscending
            }
            let zips = try names.map {
                [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)))
            }
            let figures = try #require(try await FamilyFigures.measure(zips), "\(family)")
            let ratio = (figures.ratio * 10).rounded() / 10
            let shares = try await FamilyFigures.wireShares(zips).sorted().map { Int(($0 * 100).rounded()) }
            print(
                "| \(family) | \(figures.versions) | \(figures.zips / 1000) | \(figures.packs / 1000) | "
                    + "\(ratio) | \(figures.last / 1000) | \(figures.index / 1000) | "
                    + "\(shares[shares.count / 2]) %, \(shares[shares.count - 1]) % |")
        }
    }
}
