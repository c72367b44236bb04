import Gossip
import GossipSimulation
import Testing

@Suite("Replay window")
struct ReplayWindowTests {
    @Test(
        "it says of every counter what a list of all that were seen says", arguments: 0..<20 as Range<UInt64>)
    func againstModel(seed: UInt64) {
        var random = SimulationRandom(seed: seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var highest: UInt64 = 0
        for _ in 0..<20_000 {
            // Mostly near the highest, at times far ahead, behind, or at the window's very edge.
            let counter: UInt64 =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: highest + .random(in: 1...3000, using: &random)
                case 1: highest > 1025 ? highest - .random(in: 1022...1025, using: &random) : 1
                default:
                    (highest > 1100 ? highest - 1100 : 0) + .random(in: 0...1110, using: &random)
                }
            let expected =
                counter > 0 && !seen.contains(counter)
                && (counter > highest || highest - counter < ReplayWindow.width)
            #expect(window.accepts(counter) == expected, "seed \(seed), counter \(counter) of \(highest)")
            guard expected else { continue }
            window.note(counter)
            seen.insert(counter)
            highest = max(highest, counter)
        }
    }

    @Test("a counter of the oldest word that is still partly inside is remembered")
    func oldestWord() {
        var window = ReplayWindow()
        window.note(10)
        window.note(1029)
        #expect(!window.accepts(10))
        #expect(window.accepts(11))
    }
}
