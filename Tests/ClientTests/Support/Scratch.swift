import Foundation

/// A new temporary folder, removed with everything in it when the last user lets go of it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/edgenode-clients-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A module cache is read-only by default; GoClient asks for one that is not.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A new folder inside.
    func folder(_ name: String) throws -> String {
        let folder = "\(path)/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// Runs something that blocks on a thread of its own, so that waiting costs the test runner's pool nothing; with a
/// network, the thread's sockets are made there.
func blocking<T: Sendable>(
    in network: LoopbackNamespace? = nil, _ body: @escaping @Sendable () throws -> T
) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread {
            continuation.resume(
                with: Result {
                    try network?.enterThisThread()
                    return try body()
                })
        }.start()
    }
}

/// What went wrong around a test, as opposed to in what it tests.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
