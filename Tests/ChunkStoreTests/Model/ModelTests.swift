import ChunkStore
import Foundation
import Testing

@Suite("The store against a model", .serialized)
struct ModelTests {
    static let steps = 500
    static var seeds: Int {
        let environment = ProcessInfo.processInfo.environment
        return environment["EDGENODE_MODEL_SEEDS"].flatMap(Int.init)
            ?? (environment["EDGENODE_SOAK"] == "1" ? 10_000 : 1000)
    }

    /// What went wrong in one seed; nil = nothing.
    private static func failure(
        seed: UInt64, steps: Int, _ mistakes: ModelRun.Mistakes = .init()
    ) async -> String? {
        do {
            var run = try await ModelRun(seed: seed, mistakes)
            do { try await run.run(steps) } catch {
                await run.giveUp()
                return "seed \(seed), step \(run.steps.count) (\(run.steps.suffix(4))): \(error)"
            }
            return nil
        } catch {
            return "seed \(seed): \(error)"
        }
    }

    @Test("Random steps with crashes among them never contradict the model")
    func steps() async {
        let started = ContinuousClock.now
        let failures = await withTaskGroup(of: String?.self) { group in
            var failures: [String] = []
            var next = 0
            for _ in 0..<2 {
                let seed = UInt64(next)
                group.addTask { await Self.failure(seed: seed, steps: Self.steps) }
                next += 1
            }
            while let result = await group.next() {
                if let result { failures.append(result) }
                if next < Self.seeds, failures.count < 5 {
                    let seed = UInt64(next)
                    group.addTask { await Self.failure(seed: seed, steps: Self.steps) }
                    next += 1
                }
            }
            return failures
        }
        print("model: \(Self.seeds) seeds of \(Self.steps) steps in \(ContinuousClock.now - started)")
        #expect(failures == [])
    }

    static let planted: [(name: String, mistakes: ModelRun.Mistakes)] = [
        ("packs are not synced", .init(forgottenSyncs: "packs/")),
        ("a dropped recipe does not give up its chunks", .init(sql: "DROP TRIGGER recipe_dropped")),
        ("pinned blobs are evicted", .init(faults: .evictPinned)),
        ("no trial rebuild after a wrong read", .init(faults: .skipTrialRebuild, wrongReadEvery: 5)),
        ("a wrong chunk offset", .init(faults: [.wrongChunkOffset, .skipTrialRebuild])),
        ("the file is unlinked before the recipe is committed", .init(faults: .unlinkBeforeCommit)),
    ]

    @Test("Each planted mistake is noticed", arguments: planted.indices)
    func noticed(index: Int) async {
        let (name, mistakes) = Self.planted[index]
        for seed in 0..<60 {
            if let failure = await Self.failure(seed: UInt64(seed), steps: 300, mistakes) {
                print("\(name): \(failure)")
                return
            }
        }
        Issue.record("\(name): nobody noticed")
    }

    @Test("Wrong reads alone cost folds, never bytes")
    func wrongReads() async {
        for seed in 0..<5 {
            let failure = await Self.failure(seed: UInt64(seed), steps: 300, .init(wrongReadEvery: 7))
            #expect(failure == nil)
        }
    }
}
