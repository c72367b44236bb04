import ChunkStore
import Content
import Foundation
import StoreCrasher
import Testing

/// A child that works on a store is killed with SIGKILL at random points; whatever it had been told was done must
/// be so, nothing may be corrupt, and no space may be lost.
@Suite(.serialized) struct KillTests {
    /// Directories, and kills in each; together at least 200.
    private static let rounds = 10
    private static let kills = 21

    @Test func nothingIsLostOrCorruptAfterKills() async throws {
        var digests: [Int: Digest] = [:]
        for number in 0..<CrasherKeys.count { digests[number] = Digest(of: CrasherKeys.bytes(number)) }
        var changesDone = 0
        for _ in 0..<Self.rounds {
            let directory = TestDirectory()
            var allowed: [String: Set<String>] = [:]
            for kill in 0..<Self.kills {
                let child = try Crasher(directory: directory.path)
                // Also before it has opened the store, while it recovers from the last kill.
                changesDone += try child.run(untilLine: Int.random(in: 0..<40), into: &allowed)
                if kill % 3 == 1 { continue }
                let findings = try await check(directory, digests, &allowed)
                #expect(findings == [])
                if !findings.isEmpty { return }
            }
        }
        #expect(changesDone > Self.rounds * Self.kills, "the child hardly gets to work")
    }

    private func check(
        _ directory: TestDirectory, _ digests: [Int: Digest], _ allowed: inout [String: Set<String>]
    ) async throws -> [String] {
        let store = try await directory.open { $0.smallObjectLimit = CrasherKeys.smallObjectLimit }
        var findings = try await StoreAudit(store: store, directory: directory.path).findings()
        for (number, digest) in digests.sorted(by: { $0.key < $1.key }) {
            let name = try ReferenceName(CrasherKeys.name(number))
            let blob = try await store.object(digest) == nil ? "-" : "held"
            let found = try await store.reference(name).map { $0.digest == digest ? "held" : "wrong" } ?? "-"
            for (key, value) in [(CrasherKeys.blob(number), blob), (name.text, found)] {
                let may = allowed[key] ?? ["-"]
                if !may.contains(value) { findings.append("\(key) is \(value), may be \(may.sorted())") }
                allowed[key] = [value]
            }
        }
        await store.close()
        return findings
    }
}
