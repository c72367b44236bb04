import Content
import Foundation
import Gossip

/// What a node keeps of its cluster, below its data folder (docs/trust-model.md, "Files").
struct ClusterFolder: Sendable {
    let path: String

    init(_ folder: DataFolder) { path = folder.path + "/cluster" }

    /// The root's secret half; only where the cluster was made, until it is moved to a safe place.
    var rootKey: String { path + "/root.key" }
    var secret: String { path + "/secret" }
    var membership: String { path + "/membership" }
    /// What gossip keeps.
    var state: String { path + "/state" }
    /// The newest revocation list that was made or brought here.
    var revocations: String { path + "/revocations" }

    var isJoined: Bool { access(membership, F_OK) == 0 }

    func create() throws(CommandFailure) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw CommandFailure(
                .cannotCreate, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
    }

    // MARK: the secret

    func readSecret() throws(CommandFailure) -> ClusterSecret { try Self.readSecret(secret) }

    /// A cluster secret in a file of its own: 43 characters of base64url and a line feed, mode 0600.
    static func readSecret(_ path: String) throws(CommandFailure) -> ClusterSecret {
        let bytes = try OwnFile.read(path, limit: 256)
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            guard let raw = Base64URL.decode(text), let secret = try ClusterSecret(bytes: raw) else {
                throw CommandFailure(
                    .badData, "\(path) holds no cluster secret: it takes 32 bytes in base64url, 43 characters"
                )
            }
            return secret
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.unavailable, "\(error)")
        }
    }

    func write(_ value: ClusterSecret) throws(CommandFailure) {
        try OwnFile.write(value.withBytes { Array((Base64URL.encode(Array($0)) + "\n").utf8) }, to: secret)
    }

    // MARK: revocations

    func readRevocations() throws(CommandFailure) -> RevocationList? {
        guard access(revocations, F_OK) == 0 else { return nil }
        do {
            var reader = WireReader(try OwnFile.read(revocations, limit: 1 << 20))
            return try RevocationList(from: &reader)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.badData, "\(revocations) is damaged: \(error); copy it from another node")
        }
    }

    func write(_ list: RevocationList) throws(CommandFailure) {
        try OwnFile.write(list.encoded, to: revocations)
    }
}

/// Files that belong to the node's user alone, replaced whole.
enum OwnFile {
    static func read(_ path: String, limit: Int) throws(CommandFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw CommandFailure(.noInput, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandFailure(.noInput, "\(path) is not a regular file")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw CommandFailure(.noPermission, "\(path) is open to others; run: chmod 600 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw CommandFailure(.noInput, "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else { throw CommandFailure(.badData, "\(path) has more than \(limit) bytes") }
        return Array(bytes[..<count])
    }

    /// Written beside its place, synced, renamed: a crash leaves the old file or the new one.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let draft = path + ".new"
        func failure() -> CommandFailure {
            CommandFailure(.cannotCreate, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(descriptor) == 0, rename(draft, path) == 0 else {
            throw failure()
        }
        let folder = open(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_DIRECTORY)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
