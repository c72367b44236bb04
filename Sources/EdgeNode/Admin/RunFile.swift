import Foundation

/// What a running node tells its own commands: where it answers them, and the token that proves that the
/// caller may read the node's files. Kept in the data folder with mode 0600 while the node runs.
package struct RunFile: Codable, Sendable, Equatable {
    package var version: String
    package var process: Int32
    /// The base URL of the node's control address, on loopback.
    package var control: String
    /// The URLs of the front as clients on this machine reach it.
    package var front: [String]
    package var token: String

    package init(version: String, process: Int32, control: String, front: [String], token: String) {
        self.version = version
        self.process = process
        self.control = control
        self.front = front
        self.token = token
    }

    /// A token of 256 random bits.
    package static func newToken() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Puts the file in its place, replacing one that a crash left behind.
    package func write(to path: String) throws(CommandFailure) {
        func failure() -> CommandFailure {
            CommandFailure(.cannotCreate, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { throw failure() }
        let written = data.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == data.count, rename(draft, path) == 0 else { throw failure() }
    }

    /// The file at `path`; nil when there is none.
    /// - Throws: `CommandFailure.noPermission` when it belongs to another user.
    package static func read(from path: String) throws(CommandFailure) -> RunFile? {
        guard access(path, R_OK) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw CommandFailure(
                .noPermission,
                "\(path) cannot be read: run this as the user that the node runs as, or as root")
        }
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let file = try? JSONDecoder().decode(RunFile.self, from: data) else {
            throw CommandFailure(
                .badData, "\(path) is not what this version writes; is the running node of another version?")
        }
        return file
    }

    /// Removes the file when it is still this process's own.
    package func remove(from path: String) {
        guard let current = try? RunFile.read(from: path), current == self else { return }
        unlink(path)
    }
}
