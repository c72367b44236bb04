import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A program that dies with the tests at the latest, and with this object: it runs under `tether`, which kills it when
/// its input closes.
///
/// Both output streams are collected in one text. All waiting is bounded and blocks the calling thread: use `blocking`.
final class ChildProcess: Sendable {
    let program: String
    private let transcript = Transcript()
    private let input: InputPipe

    /// Starts `program`; nothing of this process's environment is handed on but what `environment` names.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        directory: String? = nil
    ) throws {
        self.program = program
        // No child may be born between a pipe's making and its closing-on-exec: it would keep the pipe open.
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        let toChild = try Self.privatePipe()
        input = InputPipe(toChild.write)
        let fromChild = try Self.privatePipe()
        defer {
            close(toChild.read)
            close(fromChild.write)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild.read, 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild.write, 1)
        posix_spawn_file_actions_adddup2(&actions, fromChild.write, 2)

        let place = directory.map { ["-directory", $0] } ?? []
        let words = [Project.tool("tether")] + place + [program] + arguments
        let argv = words.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var tether: pid_t = 0
        let status = posix_spawn(&tether, words[0], &actions, nil, argv, envp)
        guard status == 0 else {
            close(fromChild.read)
            throw TestFailure("cannot start \(words[0]): \(String(cString: strerror(status)))")
        }
        let (pid, output) = (tether, fromChild.read)
        Thread { [transcript] in transcript.collect(from: output) }.start()
        Thread { [transcript] in transcript.reap(pid) }.start()
    }

    private static let spawning = NSLock()

    private static func privatePipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestFailure("no pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// What the program has written so far.
    var text: String { transcript.text }

    var isRunning: Bool { transcript.exitCode == nil }

    /// How the program ended, in words.
    var ending: String { transcript.exitCode.map { "ended with code \($0)" } ?? "still running" }

    /// The program's own process id.
    func processID() throws -> pid_t {
        guard let pid = transcript.processID(until: Date(timeIntervalSinceNow: 30)) else {
            throw TestFailure("\(program) did not start: \(text)")
        }
        return pid
    }

    /// A line of the program's output, counted from 0, once it is complete.
    func outputLine(_ index: Int, seconds: Double = 30) throws -> String {
        guard let line = transcript.line(index, until: Date(timeIntervalSinceNow: seconds)) else {
            throw TestFailure("\(program) did not say what was expected: \(text)")
        }
        return line
    }

    /// Waits until the program has ended and gives its exit code; past the time limit it is killed.
    func wait(seconds: Double) throws -> Int32 {
        if let code = transcript.end(until: Date(timeIntervalSinceNow: seconds)) { return code }
        input.close()
        throw TestFailure("\(program) did not end within \(seconds) s: \(text)")
    }

    /// Sends a signal to the program itself.
    func signal(_ number: Int32) throws { kill(try processID(), number) }

    /// Ends the program: SIGTERM, and SIGKILL when it takes longer than `seconds`.
    @discardableResult
    func terminate(seconds: Double = 20) throws -> Int32 {
        if isRunning { try signal(SIGTERM) }
        return try wait(seconds: seconds)
    }
}

/// The end of a pipe whose closing ends the program at once, with everything that it started.
private final class InputPipe: @unchecked Sendable {  // the descriptor is touched under the lock only
    private let lock = NSLock()
    private var descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    func close() {
        lock.withLock {
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }
    }
}

/// A program's output and end, as two threads learn of them.
private final class Transcript: @unchecked Sendable {  // mutable state is touched under `condition` only
    private let condition = NSCondition()
    private var output = Data()
    private var outputEnded = false
    private var code: Int32?

    func collect(from descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            condition.withLock {
                if count > 0 { output.append(contentsOf: buffer[..<count]) } else { outputEnded = true }
                condition.broadcast()
            }
            if count <= 0 { break }
        }
        close(descriptor)
    }

    func reap(_ pid: pid_t) {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        let ended = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        condition.withLock {
            code = ended
            condition.broadcast()
        }
    }

    var exitCode: Int32? { condition.withLock { code } }

    /// Where tether says the process id: first, or behind what a quick program has said before that.
    private static func place(in lines: [Data]) -> Int? {
        lines.prefix(4).firstIndex { pid_t(String(decoding: $0, as: UTF8.self)) != nil }
    }

    /// Every line so far; the last one has no end yet.
    private var lines: [Data] {
        output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    var text: String {
        condition.withLock {
            var lines = lines
            // Without a process id, what is there is tether's complaint.
            if let place = Self.place(in: Array(lines.dropLast())) { lines.remove(at: place) }
            return String(decoding: Data(lines.joined(separator: [UInt8(ascii: "\n")])), as: UTF8.self)
        }
    }

    func processID(until deadline: Date) -> pid_t? {
        wait(until: deadline) { lines, place in pid_t(String(decoding: lines[place], as: UTF8.self)) }
    }

    /// A line of the program once it is complete; nil when the output or the time ends before.
    func line(_ index: Int, until deadline: Date) -> String? {
        wait(until: deadline) { lines, place in
            let line = index < place ? index : index + 1
            return line < lines.count ? String(decoding: lines[line], as: UTF8.self) : nil
        }
    }

    /// What `find` makes of the complete lines and of where the process id is among them, once it finds something.
    private func wait<Found>(until deadline: Date, _ find: ([Data], Int) -> Found?) -> Found? {
        condition.withLock {
            while true {
                let whole = Array(lines.dropLast())
                if let place = Self.place(in: whole), let found = find(whole, place) { return found }
                guard !outputEnded, condition.wait(until: deadline) else { return nil }
            }
        }
    }

    func end(until deadline: Date) -> Int32? {
        condition.withLock {
            while code == nil || !outputEnded { guard condition.wait(until: deadline) else { break } }
            return outputEnded ? code : nil
        }
    }
}
