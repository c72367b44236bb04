import Glibc
import Logging
import Synchronization

/// Where gossip keeps what must survive a restart: written beside its place, synced, renamed, on a thread of its own;
/// of several writes that wait only the last one is done. Mode 0600.
final class StateFile: Sendable {
    static let byteLimit = 64 << 20

    private struct State {
        var waiting: [UInt8]?
        var isWriting = false
        var finished: [CheckedContinuation<Void, Never>] = []
    }

    private let path: String
    private let logger: Logger
    private let state = Mutex(State())

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// What was kept; empty when there is nothing.
    func read() async -> [UInt8] {
        let path = path
        return await withCheckedContinuation { continuation in
            Self.onThread {
                let descriptor = open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else {
                    if errno != ENOENT {
                        let reason = String(cString: strerror(errno))
                        self.logger.error("what gossip kept in \(path) cannot be read: \(reason)")
                    }
                    return continuation.resume(returning: [])
                }
                defer { close(descriptor) }
                var bytes: [UInt8] = []
                var block = [UInt8](repeating: 0, count: 1 << 16)
                while bytes.count < Self.byteLimit {
                    let count = Glibc.read(descriptor, &block, block.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    bytes += block[..<count]
                }
                continuation.resume(returning: bytes)
            }
        }
    }

    func write(_ bytes: [UInt8]) {
        let starts = state.withLock { state in
            state.waiting = bytes
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if starts { Self.onThread { self.writeAll() } }
    }

    /// Returns once nothing waits any more.
    func finish() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                guard state.isWriting else { return true }
                state.finished.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    private func writeAll() {
        while true {
            let (next, finished): ([UInt8]?, [CheckedContinuation<Void, Never>]) = state.withLock { state in
                defer { state.waiting = nil }
                if let waiting = state.waiting { return (waiting, []) }
                state.isWriting = false
                defer { state.finished = [] }
                return (nil, state.finished)
            }
            for continuation in finished { continuation.resume() }
            guard let next else { return }
            if let reason = replace(next) {
                logger.error(
                    "gossip's state cannot be kept in \(path): \(reason); a restart will begin without it")
            }
        }
    }

    private func replace(_ bytes: [UInt8]) -> String? {
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(cString: strerror(errno)) }
            written += count
        }
        guard fsync(descriptor) == 0, rename(draft, path) == 0 else {
            return String(cString: strerror(errno))
        }
        return syncFolder()
    }

    /// A name that was changed survives a loss of power once its folder is synced.
    private func syncFolder() -> String? {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? nil : String(cString: strerror(errno))
    }

    private static func onThread(_ work: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Work(work))
        let result = pthread_create(
            &thread, nil,
            { pointer in
                if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            box.takeRetainedValue().run()
            return
        }
        pthread_detach(thread)
    }

    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
