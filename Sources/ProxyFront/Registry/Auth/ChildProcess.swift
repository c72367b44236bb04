import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Runs a program of the PATH to its end, bounded in time and output. Blocks: for threads that may.
enum ChildProcess {
    enum Failure: Error, Equatable {
        case missing
        case slow
        case tooMuch
        case system(String)

        var reason: String {
            switch self {
            case .missing: "no program of that name is on the node's PATH"
            case .slow: "it did not end in time"
            case .tooMuch: "it said too much"
            case .system(let reason): "it cannot be run: \(reason)"
            }
        }
    }

    private static let starting = Mutex(())

    /// - Parameters:
    ///   - input: what it reads from its standard input; at most what a pipe holds (64 KiB).
    ///   - limit: bytes of output at most. Its error output is not read.
    /// - Returns: its output, and its exit status: 128 and the signal's number when a signal ended it.
    static func run(
        _ program: String, _ arguments: [String], input: [UInt8], limit: Int, within time: Duration
    ) throws(Failure) -> (output: [UInt8], status: Int) {
        precondition(input.count <= 4096, "more might not fit into the pipe")
        let deadline = ContinuousClock.now + time
        // One at a time: between its making and its mark, a pipe would go on to a child made meanwhile.
        let (stdin, stdout, child) = try starting.withLock { _ throws(Failure) in
            let (stdin, stdout) = (try Pipe(), try Pipe())
            return (stdin, stdout, try spawn(program, arguments, stdin: stdin.read, stdout: stdout.write))
        }
        defer {
            stdin.close()
            stdout.close()
        }
        // The reading end is open here still, so this cannot raise a signal.
        let written = input.withUnsafeBytes { write(stdin.write, $0.baseAddress, $0.count) }
        stdin.close()
        stdout.closeWriting()
        var isReaped = false
        defer { if !isReaped { end(child) } }
        guard written == input.count else { throw .system("its input could not be written") }
        let output = try read(stdout.read, limit: limit, until: deadline)
        let status = try wait(child, until: deadline)
        isReaped = true
        return (output, status)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], stdin: Int32, stdout: Int32
    ) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, stdin, 0)
        posix_spawn_file_actions_adddup2(&actions, stdout, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that its children end with it; no signal blocked or ignored.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child = pid_t()
        let code = posix_spawnp(&child, program, &actions, &attributes, words, environ)
        guard code == 0 else { throw code == ENOENT ? .missing : .system(String(cString: strerror(code))) }
        return child
    }

    private static func read(
        _ descriptor: Int32, limit: Int, until deadline: ContinuousClock.Instant
    ) throws(Failure) -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw .slow }
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, Int32(min(left / .milliseconds(1), 60_000)) + 1) > 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return output }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system(String(cString: strerror(errno)))
            }
            output += buffer[..<count]
            guard output.count <= limit else { throw .tooMuch }
        }
    }

    /// Its output has ended, so it is about to end itself.
    private static func wait(
        _ child: pid_t, until deadline: ContinuousClock.Instant
    ) throws(Failure) -> Int {
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 {
            guard ContinuousClock.now < deadline else { throw .slow }
            usleep(2000)
        }
        let signal = Int(status & 0x7F)
        return signal == 0 ? Int(status >> 8 & 0xFF) : 128 + signal
    }

    private static func end(_ child: pid_t) {
        kill(-child, SIGKILL)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
}

/// Two descriptors that no other program inherits.
private final class Pipe {
    private(set) var read: Int32 = -1
    private(set) var write: Int32 = -1

    init() throws(ChildProcess.Failure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system(String(cString: strerror(errno))) }
        (read, write) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    func closeWriting() {
        if write >= 0 { Glibc.close(write) }
        write = -1
    }

    func close() {
        closeWriting()
        if read >= 0 { Glibc.close(read) }
        read = -1
    }

    deinit { close() }
}
