import ChunkStore
import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// Works on the store in the directory given until it is killed: the child of the kill -9 test.
@main
struct StoreCrasher {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            print("usage: StoreCrasher <directory>")
            exit(2)
        }
        var configuration = ChunkStore.Configuration(
            directory: CommandLine.arguments[1], reservedFree: 0,
            smallObjectLimit: CrasherKeys.smallObjectLimit)
        configuration.packSizeLimit = 40_000
        let log = Log()
        let store = try await ChunkStore.open(
            configuration, logger: Logger(label: "crasher") { _ in SwiftLogNoOpLogHandler() })
        log.line("opened")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<CrasherKeys.workers {
                group.addTask {
                    var worker = Worker(number: number, store: store, log: log)
                    try await worker.run()
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Lines to the parent, each in one write so that a kill cuts between lines.
struct Log: Sendable {
    func begin(_ key: String, _ value: String) { line("B \(key) \(value)") }
    func end(_ key: String) { line("E \(key)") }

    func line(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        let written = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        // The parent has gone: so shall we.
        if written < bytes.count { exit(1) }
    }
}
