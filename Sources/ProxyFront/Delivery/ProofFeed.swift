import ChunkStore
import Content
import NIOCore
import NIOPosix
import Synchronization

/// Feeds a proof: from the ingest's hashing thread as long as the body is stored, by hand once it is only
/// passed on. Either way each byte counts once and in order.
final class ProofFeed: FrontObserver {
    private struct State {
        var offset: Int64 = 0
        var isDetached = false
        /// Of a detached body that is named by its digest: nobody else hashes it.
        var hasher: DigestHasher?
        var hashed: Int64 = 0
    }

    let proof: any BodyProof
    private let expected: Digest?
    private let state = Mutex(State())

    init(_ proof: any BodyProof, expected: Digest?) {
        self.proof = proof
        self.expected = expected
    }

    var isQuick: Bool { proof.isQuick }

    /// The digest of everything fed by hand; nil while the ingest does the hashing.
    var digest: Digest? { state.withLock { $0.hasher?.finalize() } }

    /// The ingest's side. What it still brings after `detach` is left to the other side.
    func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try state.withLock { state in
            guard !state.isDetached else { return }
            try proof.front(advanced: bytes, at: offset)
            state.offset = offset + Int64(bytes.count)
        }
    }

    /// Takes the feeding over from the ingest, and catches up with what it had not come to.
    func detach(catchingUpWith prefix: FileSlice?) async throws {
        let done = state.withLock { state in
            state.isDetached = true
            state.hasher = expected.map { DigestHasher($0.algorithm) }
            return state.hasher == nil ? state.offset : 0
        }
        guard let prefix else { return }
        var position = done
        while position < prefix.range.upperBound {
            let end = min(position + 1 << 20, prefix.range.upperBound)
            let bytes = try await FileBytes.read(FileSlice(file: prefix.file, range: position..<end))
            try await feed(ByteBuffer(bytes: bytes), at: position)
            position = end
        }
    }

    /// The bytes at `offset`, after `detach`. The proof works on a thread of its own. What it has seen
    /// already is skipped: a write that found the disk full may have been hashed all the same.
    func feed(_ bytes: ByteBuffer, at offset: Int64) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try self.state.withLock { state in
                let end = offset + Int64(bytes.readableBytes)
                try bytes.withUnsafeReadableBytes { raw in
                    if state.hashed < end, state.hasher != nil {
                        let known = max(0, Int(state.hashed - offset))
                        state.hasher?.update(UnsafeRawBufferPointer(rebasing: raw[known...]))
                        state.hashed = end
                    }
                    guard state.offset < end else { return }
                    let seen = max(0, Int(state.offset - offset))
                    try self.proof.front(
                        advanced: UnsafeRawBufferPointer(rebasing: raw[seen...]), at: state.offset)
                    state.offset = end
                }
            }
        }
    }
}

/// A buffer as the store takes it.
struct BufferSource: ByteSource {
    let buffer: ByteBuffer
    var count: Int { buffer.readableBytes }
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try buffer.withUnsafeReadableBytes(body)
    }
}
