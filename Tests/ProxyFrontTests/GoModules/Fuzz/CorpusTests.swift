import Foundation
import Testing

@Suite struct CorpusTests {
    @Test(arguments: FuzzCheck.allCases)
    func `what the fuzzers found worth keeping holds`(check: FuzzCheck) throws {
        let folder = RealSumDB.directory.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus/\(check.rawValue)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names.count >= 5)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            #expect(throws: Never.self, "\(check.rawValue)/\(name)") { try check.run(bytes) }
        }
    }
}
