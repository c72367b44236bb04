import Foundation

extension ClientFile {
    /// What became of a file that was to be put in its place.
    package enum Outcome: Sendable, Equatable {
        case written
        /// The same text stood there.
        case unchanged
    }

    /// Writes the file below `root`, with the folders above it. What others wrote there is never replaced.
    /// - Throws: `CommandFailure.cannotCreate` when another text stands there, or it cannot be written.
    package func install(below root: String) throws(CommandFailure) -> Outcome {
        let place = (root.hasSuffix("/") ? String(root.dropLast()) : root) + path
        if let present = FileManager.default.contents(atPath: place) {
            guard Array(present) == Array(text.utf8) else {
                throw CommandFailure(
                    .cannotCreate,
                    "\(place) is there already and says something else; merge by hand, or move it away")
            }
            return .unchanged
        }
        do {
            let folder = URL(fileURLWithPath: place).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: place), options: .withoutOverwriting)
        } catch {
            throw CommandFailure(.cannotCreate, "\(place) cannot be written: \(error.localizedDescription)")
        }
        return .written
    }
}
