import Foundation

/// A program run to its end, or until it is told to stop.
final class ChildProcess: @unchecked Sendable {
    // Sendable: `process` is used by the test that owns this; the buffers have a lock of their own.
    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let output = Collector()
    private let errors = Collector()
    private let ended = DispatchSemaphore(value: 0)

    init(_ program: String, _ arguments: [String], environment: [String: String], input: String? = nil) throws
    {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        let stdin = Pipe()
        process.standardInput = stdin
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
        if let input { stdin.fileHandleForWriting.write(Data(input.utf8)) }
        try stdin.fileHandleForWriting.close()
    }

    /// Kills a program that its test left running.
    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        input: String? = nil
    ) async throws -> Result {
        try await ChildProcess(program, arguments, environment: environment, input: input).wait()
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    var identifier: Int32 { process.processIdentifier }

    /// Waits for the end, at most 180 s.
    func wait() async throws -> Result { try await Self.offPool { try self.waitHere() } }

    /// Runs what blocks on a thread that no task is waiting for.
    private static func offPool<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    private func waitHere() throws -> Result {
        guard ended.wait(timeout: .now() + 180) == .success else {
            kill(process.processIdentifier, SIGKILL)
            throw Overdue(output: output.text, errors: errors.text)
        }
        output.finish()
        errors.finish()
        return Result(status: process.terminationStatus, output: output.text, errors: errors.text)
    }

    /// Waits until the error stream holds `text`, at most 180 s, and gives all of it.
    func waitForErrors(containing text: String) async throws -> String {
        try await Self.offPool { [self] in
            guard let found = errors.wait(for: text, until: Date(timeIntervalSinceNow: 180)) else {
                throw Overdue(output: output.text, errors: errors.text)
            }
            return found
        }
    }

    struct Overdue: Error {
        var output: String
        var errors: String
    }

    /// Gathers what comes out of a pipe.
    private final class Collector: @unchecked Sendable {
        // Sendable: the fields are touched with the condition's lock held.
        let pipe = Pipe()
        private let condition = NSCondition()
        private var data = Data()
        private var isDone = false

        init() {
            // A thread, no dispatch source: one that is alive when its file is closed ends the process.
            let handle = pipe.fileHandleForReading
            Thread { [self] in collect(from: handle) }.start()
        }

        private func collect(from handle: FileHandle) {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = read(handle.fileDescriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                condition.withLock {
                    if count > 0 { data.append(contentsOf: buffer[..<count]) } else { isDone = true }
                    condition.broadcast()
                }
                if count <= 0 { return }
            }
        }

        var text: String {
            condition.lock()
            defer { condition.unlock() }
            return String(decoding: data, as: UTF8.self)
        }

        func finish() {
            condition.lock()
            defer { condition.unlock() }
            let end = Date(timeIntervalSinceNow: 10)
            while !isDone, condition.wait(until: end) {}
        }

        func wait(for wanted: String, until end: Date) -> String? {
            condition.lock()
            defer { condition.unlock() }
            while true {
                let text = String(decoding: data, as: UTF8.self)
                if text.contains(wanted) { return text }
                guard !isDone, condition.wait(until: end) else { return nil }
            }
        }
    }
}
