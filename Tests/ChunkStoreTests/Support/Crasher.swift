import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// The child of the kill test.
struct Crasher {
    private let process = Process()
    private let output = Pipe()

    init(directory: String) throws {
        // The products of one build stand side by side.
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let executable = [products, products.deletingLastPathComponent()]
            .map { $0.appendingPathComponent("StoreCrasher") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let executable else { throw CocoaError(.fileNoSuchFile) }
        process.executableURL = executable
        process.arguments = [directory]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Lets the child run until it printed that many lines, kills it, and notes in `allowed` what each key may
    /// be now.
    /// - Returns: the changes that the child finished.
    func run(untilLine limit: Int, into allowed: inout [String: Set<String>]) throws -> Int {
        var lines = 0
        var rest: [UInt8] = []
        while lines < limit {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            rest += data
            lines += data.count { $0 == 10 }
        }
        kill(process.processIdentifier, SIGKILL)
        rest += output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        var begun: [String: String] = [:]
        var ended = 0
        for line in String(decoding: rest, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 3, words[0] == "B" {
                begun[words[1]] = words[2]
                allowed[words[1], default: ["-"]].insert(words[2])
            } else if words.count == 2, words[0] == "E", let value = begun[words[1]] {
                allowed[words[1]] = [value]
                ended += 1
            }
        }
        return ended
    }
}
