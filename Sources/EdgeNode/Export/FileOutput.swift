import Glibc
import NIOCore
import ProxyFront

/// Where a command writes a file: beside its place under another name first, so that what has the name is whole.
struct FileOutput: Sendable {
    private let path: String

    /// - Parameter path: `-` for standard output.
    init(_ path: String) { self.path = path }

    private var draft: String { path + ".part" }

    /// Writes all of `body`.
    /// - Parameters:
    ///   - expected: how many bytes it must have, when that is known.
    ///   - progress: is told how many are written.
    /// - Throws: `CommandFailure`; nothing has the file's name then, and the draft is gone.
    func write(
        _ body: any BodyProducer, expecting expected: Int64?, progress: (Int64) -> Void
    ) async throws {
        guard path != "-" else {
            try await copy(body, to: STDOUT_FILENO, expecting: expected, progress: progress)
            return
        }
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(draft) }
        defer { close(descriptor) }
        do {
            try await copy(body, to: descriptor, expecting: expected, progress: progress)
            try await FileBytes.onThread {
                guard fsync(descriptor) == 0, rename(draft, path) == 0 else { throw failure(path) }
            }
        } catch {
            unlink(draft)
            throw error
        }
    }

    private func copy(
        _ body: any BodyProducer, to descriptor: Int32, expecting expected: Int64?, progress: (Int64) -> Void
    ) async throws {
        var written: Int64 = 0
        do {
            while let part = try await body.next() {
                guard case .bytes(let buffer) = part else {
                    preconditionFailure("bundles and inventories are made of bytes")
                }
                try await FileBytes.onThread { try write(buffer, to: descriptor) }
                written += Int64(buffer.readableBytes)
                progress(written)
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                .inputOutput,
                "the node broke off after \(ByteSize.rounded(written)): \(error); its log says why")
        }
        if let expected, written != expected {
            throw CommandFailure(
                .inputOutput, "the node broke off after \(written) of \(expected) bytes; its log says why")
        }
    }

    /// Blocks.
    private func write(_ buffer: ByteBuffer, to descriptor: Int32) throws {
        try buffer.withUnsafeReadableBytes { raw in
            var rest = raw[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw failure(path) }
                rest = rest.dropFirst(count)
            }
        }
    }

    private func failure(_ path: String) -> CommandFailure {
        CommandFailure(.cannotCreate, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
