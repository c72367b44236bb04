import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A network in which only loopback exists, with mounts of its own: container clients fall back to the real registry
/// when a mirror fails, and must find nothing there.
///
/// Nothing of it has a name that could be left behind: it is gone when the last process in it has ended, and those that
/// are started here end with the tests at the latest.
final class LoopbackNamespace: Sendable {
    private let holder: ChildProcess
    private let pid: pid_t

    private init(_ holder: ChildProcess, _ pid: pid_t) { (self.holder, self.pid) = (holder, pid) }

    /// Makes one whose /run, /var/lib and /dev/shm, where clients leave things, are empty and its own, and whose
    /// /etc/hosts holds `hosts` besides localhost.
    static func make(hosts: [String: String], in folder: String) async throws -> LoopbackNamespace {
        guard geteuid() == 0 else {
            throw TestFailure("container clients need root: run the tests as root, or all but ClientTests")
        }
        return try await blocking {
            let table = "127.0.0.1 localhost\n" + hosts.map { "\($0.value) \($0.key)\n" }.joined()
            try table.write(toFile: folder + "/hosts", atomically: true, encoding: .utf8)
            let script = """
                set -e
                ip link set lo up
                for place in /run /var/lib /dev/shm; do mount -t tmpfs tmpfs $place; done
                mount --bind '\(folder)/hosts' /etc/hosts
                mkdir -p /run/lock
                echo ready
                exec sleep infinity
                """
            let holder = try ChildProcess(
                "/usr/bin/unshare",
                ["--net", "--mount", "--propagation", "private", "/bin/sh", "-c", script],
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
            guard try holder.outputLine(0) == "ready" else {
                throw TestFailure("no network namespace can be made here: \(holder.text)")
            }
            return LoopbackNamespace(holder, try holder.processID())
        }
    }

    /// The words of a command that runs `words` inside.
    func entering(_ words: [String]) -> [String] {
        ["/usr/bin/nsenter", "--target", String(pid), "--net", "--mount"] + words
    }

    /// Starts a program inside; its process id and signals are the program's own.
    func start(
        _ program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let words = entering([program] + arguments)
        return try ChildProcess(words[0], Array(words.dropFirst()), environment: environment)
    }

    /// Runs a program inside to its end.
    func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], seconds: Double = 120
    ) async throws -> (code: Int32, text: String) {
        try await blocking {
            let process = try self.start(program, arguments, environment: environment)
            return (try process.wait(seconds: seconds), process.text)
        }
    }

    /// Lets the calling thread make its sockets inside, until it ends.
    func enterThisThread() throws {
        // Glibc's module does not show setns(2).
        guard let symbol = dlsym(nil, "setns") else { throw TestFailure("this system has no setns") }
        typealias SetNamespace = @convention(c) (Int32, Int32) -> Int32
        let setNamespace = unsafeBitCast(symbol, to: SetNamespace.self)
        let file = open("/proc/\(pid)/ns/net", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        guard file >= 0, setNamespace(file, 0) == 0 else {
            throw TestFailure("cannot enter the network namespace: \(String(cString: strerror(errno)))")
        }
    }

    func end() async throws { _ = try await blocking { try self.holder.terminate() } }
}
