import Foundation
import ProxyFront
import Testing

/// One module as several programs zip it; see Tests/Data/zips/README.md.
@Suite struct RealZipTests {
    private static let h1 = "h1:MpsvvdNNKTPIpToWgnho6qITVHDHWZZfwzBiuJ7B4Xc="
    private static let module = ModuleIdentity(
        path: try! ModulePath("golang.org/x/sync"), version: try! ModuleVersion("v0.1.0"))

    private func load(_ name: String) throws -> [UInt8] {
        let folder = RealSumDB.directory.deletingLastPathComponent().appending(path: "zips")
        return [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    @Test(arguments: ["go1.19.zip", "go1.27.zip", "python.zip", "python-stored.zip"])
    func `a zip that says all in order is read in passing`(name: String) throws {
        let bytes = try load(name)
        var random = SeededRandom(seed: 1)
        for round in 0..<50 {
            let cuts = (0..<(round * 3)).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            guard case .read(let report) = ZipReading.passing(bytes, cuts: cuts, as: Self.module) else {
                Issue.record("\(name) was not read")
                return
            }
            #expect(report.h1.description == Self.h1)
            #expect(report.oddities.isEmpty && report.entryCount == 4)
        }
        #expect(try ZipReading.whole(bytes, as: Self.module).h1.description == Self.h1)
    }

    @Test(arguments: ["python-streamed.zip", "python-streamed-stored.zip"])
    func `a zip that was streamed in other forms is read as a whole`(name: String) throws {
        let bytes = try load(name)
        guard case .needsWholeFile = ZipReading.passing(bytes, as: Self.module) else {
            Issue.record("\(name) was decided in passing")
            return
        }
        let report = try ZipReading.whole(bytes, as: Self.module)
        #expect(report.h1.description == Self.h1)
        #expect(!report.isHostile && report.oddities.count == 1, "\(report.oddities)")
    }
}
