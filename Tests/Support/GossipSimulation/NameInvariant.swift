import Content
import Gossip
import PeerExchange

import struct FoundationEssentials.Date

/// What a node keeps of a name that may change.
package struct KeptName: Hashable, Sendable {
    package let content: Digest
    package let checked: Date
    package let isPeersWord: Bool

    var held: StatementRules.Held { .init(checked: checked, isPeersWord: isPeersWord) }
}

/// Names never move back on others' word, which never takes the place of one's own upstream's, and rests on what the
/// upstream of an honest member has said, no earlier than it is dated.
package struct NameInvariant: Sendable {
    private struct Place: Hashable, Sendable {
        let node: Int
        let name: Int
    }

    private struct Word: Hashable, Sendable {
        let place: Place
        let content: Digest
    }

    /// When each node's own upstream last said each thing, by the clock of that node.
    private var said: [Word: Date] = [:]
    private var kept: [Place: KeptName] = [:]
    /// Names that were taken on others' word.
    package private(set) var believed = 0

    /// A node's own upstream answered it.
    mutating func own(_ kept: KeptName, of name: Int, at node: Int) {
        let place = Place(node: node, name: name)
        let word = Word(place: place, content: kept.content)
        said[word] = max(said[word] ?? .distantPast, kept.checked)
        self.kept[place] = kept
    }

    /// A node keeps what others told it.
    /// - Parameters:
    ///   - honest: the signers whose word that is and who do not lie.
    ///   - wall: what the node's clock says.
    /// - Returns: what is wrong, if anything is.
    mutating func told(
        _ kept: KeptName, of name: Int, at node: Int, by honest: [Int], wall: Date
    ) -> String? {
        believed += 1
        let place = Place(node: node, name: name)
        let before = self.kept.updateValue(kept, forKey: place)
        if let before, !before.isPeersWord {
            return "\(node) gave up what its own upstream had said of name \(name)"
        }
        if let before, before.checked >= kept.checked {
            return "\(node) moved name \(name) from \(before.checked) back to \(kept.checked)"
        }
        if kept.checked > wall.addingTimeInterval(StatementRules.lead) {
            return "\(node) believes of name \(name) what is dated \(kept.checked), at \(wall)"
        }
        var latest: Date?
        for signer in honest {
            let word = Word(place: Place(node: signer, name: name), content: kept.content)
            guard let time = said[word] else {
                return "\(node) has name \(name) from \(signer), whose upstream never said so"
            }
            latest = max(latest ?? time, time)
        }
        guard let latest else { return "\(node) has name \(name) from a liar alone" }
        guard latest >= kept.checked else {
            return "\(node) dates name \(name) \(kept.checked), which its upstreams last said at \(latest)"
        }
        return nil
    }

    mutating func lostDisk(_ node: Int) {
        for place in kept.keys where place.node == node { kept[place] = nil }
    }
}
