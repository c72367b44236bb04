import Content
import Synchronization

/// Knows which blobs' files somebody holds open: their bytes would not come back by unlinking, and their
/// reader would be worse off.
final class OpenBlobs: Sendable {
    private struct Holder: Sendable {
        weak let file: OpenFile?
    }
    private struct State {
        var holders: [Digest: [Holder]] = [:]
        var limit = 256
    }
    private let state = Mutex(State())

    /// Notes that the blob's file was handed out.
    func note(_ digest: Digest, _ file: OpenFile) {
        state.withLock { state in
            state.holders[digest, default: []].removeAll { $0.file == nil }
            state.holders[digest, default: []].append(Holder(file: file))
            guard state.holders.count > state.limit else { return }
            state.holders = state.holders.filter { $0.value.contains { $0.file != nil } }
            state.limit = max(256, state.holders.count * 2)
        }
    }

    /// Whether the file is held by anybody.
    func isOpen(_ digest: Digest) -> Bool {
        state.withLock { $0.holders[digest]?.contains { $0.file != nil } ?? false }
    }
}
