/// Finds the word that a person probably meant.
enum NearestWord {
    /// The candidate with the fewest edits from `word`, when that is few enough to be a slip: at most a
    /// third of its length. The first of equals wins.
    static func to(_ word: String, among candidates: [String]) -> String? {
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let distance = edits(Array(word.lowercased().utf8), Array(candidate.lowercased().utf8))
            guard distance <= max(1, max(word.utf8.count, candidate.utf8.count) / 3) else { continue }
            if let found = best, found.distance <= distance { continue }
            best = (candidate, distance)
        }
        return best?.word
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other
    /// (Damerau 1964, the restricted distance).
    private static func edits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, a) in left.enumerated() {
            var line = [row + 1]
            for (column, b) in right.enumerated() {
                var cost = min(last[column] + (a == b ? 0 : 1), last[column + 1] + 1, line[column] + 1)
                if row > 0, column > 0, a == right[column - 1], left[row - 1] == b {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                line.append(cost)
            }
            beforeLast = last
            last = line
        }
        return last[right.count]
    }
}
