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
    }

    let proof: any BodyProof
    private let state = Mutex(State())

    init(_ proof: any BodyProof) { self.proof = proof }

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
            return state.offset
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
                let seen = Int(state.offset - offset)
                guard seen < bytes.readableBytes else { return }
                try bytes.withUnsafeReadableBytes { raw in
                    try self.proof.front(
                        advanced: UnsafeRawBufferPointer(rebasing: raw[max(0, seen)...]), at: state.offset)
                }
                state.offset = offset + Int64(bytes.readableBytes)
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
