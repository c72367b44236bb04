import Foundation
import Testing

@Suite("Bytes of other nodes")
struct WireCorpusTests {
    @Test("what the fuzzers found worth keeping holds", arguments: WireCheck.allCases)
    func corpus(check: WireCheck) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Corpus/\(check.rawValue)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names.count >= 3)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            #expect(throws: Never.self, "\(check.rawValue)/\(name)") { try check.run(bytes) }
        }
    }

    @Test("bytes drawn at random hold", arguments: WireCheck.allCases)
    func random(check: WireCheck) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        for round in 0..<300 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bytes = (0..<Int(state >> 32 % 200)).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 40)
            }
            #expect(throws: Never.self, "seed \(seed), round \(round)") { try check.run(bytes) }
        }
    }
}
