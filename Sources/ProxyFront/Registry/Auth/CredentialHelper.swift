import NIOPosix

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

#if canImport(Glibc)
    import Glibc
#endif

/// A program `docker-credential-<name>` on the PATH, asked for a registry's secret
/// (docker/docker-credential-helpers, "Development"): `get`, the server's name on standard input, JSON on standard
/// output.
package struct CredentialHelper: Sendable {
    let name: String
    /// The longest that the program may take; it is killed then.
    let patience: Duration

    /// The most bytes taken of its answer.
    static let answerLimit = 64 << 10

    package init(name: String, patience: Duration = .seconds(20)) {
        precondition(Self.isName(name), "a helper's name is checked where it is read")
        self.name = name
        self.patience = patience
    }

    /// Letters, digits, `.`, `_` and `-`, so that it names a program and no path.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                ByteClass.isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    /// - Returns: nil when the helper holds nothing for the server.
    /// - Throws: `CredentialHelperError`, without anything that the program wrote to standard output.
    package func credential(for server: String) async throws -> UpstreamCredential? {
        let (name, patience) = (name, patience)
        return try await NIOThreadPool.singleton.runIfActive {
            try Self.run(name, server, until: ContinuousClock.now + patience)
        }
    }

    private struct Answer: Decodable {
        enum CodingKeys: String, CodingKey {
            case user = "Username"
            case secret = "Secret"
        }
        var user: String
        var secret: String
    }

    private static func run(
        _ name: String, _ server: String, until deadline: ContinuousClock.Instant
    ) throws(CredentialHelperError) -> UpstreamCredential? {
        let (output, status) = try HelperProcess.run(
            "docker-credential-\(name)", input: server, until: deadline)
        guard status == 0 else {
            // What the reference implementation prints when it has nothing.
            let text = String(decoding: output.prefix(200), as: UTF8.self)
            if text.contains("credentials not found") { return nil }
            throw CredentialHelperError(name, "it ended with status \(status)")
        }
        let answer: Answer
        do { answer = try JSONDecoder().decode(Answer.self, from: Data(output)) } catch {
            throw CredentialHelperError(name, "its answer is not the JSON of a credential helper")
        }
        if answer.user == "<token>" {
            throw CredentialHelperError(name, "it keeps an identity token, which only its own login can use")
        }
        return .basic(user: answer.user, password: answer.secret)
    }
}

package struct CredentialHelperError: Error, Equatable, CustomStringConvertible {
    let name: String
    let reason: String

    init(_ name: String, _ reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "the credential helper docker-credential-\(name): \(reason)" }
}

/// A program that is given a line and asked for its output, in bounded time and space. Blocks.
private enum HelperProcess {
    static func run(
        _ program: String, input: String, until deadline: ContinuousClock.Instant
    ) throws(CredentialHelperError) -> (output: [UInt8], status: Int32) {
        let name = String(program.dropFirst("docker-credential-".count))
        // Its input is a socket: what is written to a program that is gone already must not end this one.
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &toChild) == 0 else {
            throw CredentialHelperError(name, "no socket for it")
        }
        guard pipe(&fromChild) == 0 else {
            for end in toChild { close(end) }
            throw CredentialHelperError(name, "no pipe for it")
        }
        // A program that is forked before this line can only delay the end until the time is over.
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(fromChild[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        let words = [program, "get"]
        let argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var child: pid_t = 0
        let spawned = posix_spawnp(&child, program, &actions, nil, argv, environ)
        close(toChild[0])
        close(fromChild[1])
        guard spawned == 0 else {
            close(toChild[1])
            throw CredentialHelperError(name, "it cannot be started: \(String(cString: strerror(spawned)))")
        }
        // Shorter than what a socket takes at once.
        let line = Array("\(input)\n".utf8.prefix(4096))
        _ = send(toChild[1], line, line.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        close(toChild[1])
        let output = collect(from: fromChild[0], until: deadline)
        if output == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let output else {
            throw CredentialHelperError(name, "it did not end in time, or said more than 64 KiB")
        }
        return (output, status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f)
    }

    /// Everything up to the end of the output; nil when it is too long or takes too long.
    private static func collect(from descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while output.count <= CredentialHelper.answerLimit {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else { return nil }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(min(left, 60_000)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { if ready == 0 { continue } else { return nil } }
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? output : nil }
            output.append(contentsOf: buffer[..<count])
        }
        return nil
    }
}
