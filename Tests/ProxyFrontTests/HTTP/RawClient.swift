import Foundation

/// A client that says exactly the bytes it is told, on a thread of its own.
final class RawClient: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let socket: Int32
    private let queue = DispatchQueue(label: "raw client")

    /// `receiveBuffer` bounds what the kernel takes in for a client that does not read.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Failure(description: "socket: errno \(errno)") }
        if var size = receiveBuffer {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(socket)
            throw Failure(description: "connect: errno \(errno)")
        }
    }

    deinit { close(socket) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await run { socket in
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure(description: "send: errno \(errno)") }
                sent += count
            }
        }
    }

    /// Everything up to the end of the stream. A reset counts as the end, and is told.
    func readToEnd() async throws -> (bytes: [UInt8], isReset: Bool) {
        try await run { socket in
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = recv(socket, &block, block.count, 0)
                if count == 0 { return (bytes, false) }
                if count < 0 {
                    guard errno == ECONNRESET else { throw Failure(description: "recv: errno \(errno)") }
                    return (bytes, true)
                }
                bytes += block[..<count]
            }
        }
    }

    /// Exactly `count` bytes, unless the stream ends before.
    func read(_ count: Int) async throws -> [UInt8] {
        try await run { socket in
            var bytes: [UInt8] = []
            var block = [UInt8](repeating: 0, count: 256 << 10)
            while bytes.count < count {
                let got = recv(socket, &block, min(block.count, count - bytes.count), 0)
                if got == 0 { break }
                guard got > 0 else { throw Failure(description: "recv: errno \(errno)") }
                bytes += block[..<got]
            }
            return bytes
        }
    }

    /// Everything up to and including the first `end`, or up to the end of the stream.
    func read(until end: String) async throws -> [UInt8] {
        let end = Array(end.utf8)
        return try await run { socket in
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while !bytes.suffix(end.count).elementsEqual(end) {
                let got = recv(socket, &byte, 1, 0)
                if got == 0 { break }
                guard got > 0 else { throw Failure(description: "recv: errno \(errno)") }
                bytes.append(byte)
            }
            return bytes
        }
    }

    /// Reads and forgets `count` bytes; how many came.
    func skip(_ count: Int) async throws -> Int {
        try await run { socket in
            var total = 0
            var block = [UInt8](repeating: 0, count: 1 << 20)
            while total < count {
                let got = recv(socket, &block, min(block.count, count - total), 0)
                if got == 0 { break }
                guard got > 0 else { throw Failure(description: "recv: errno \(errno)") }
                total += got
            }
            return total
        }
    }

    /// One answer, by its Content-Length.
    func answer() async throws -> ParsedAnswer {
        try await run { socket in
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]) {
                guard recv(socket, &byte, 1, 0) == 1 else {
                    throw Failure(description: "no whole head: \(String(decoding: bytes, as: UTF8.self))")
                }
                bytes.append(byte)
            }
            guard var answer = ParsedAnswer(String(decoding: bytes, as: UTF8.self)) else {
                throw Failure(description: "no answer: \(String(decoding: bytes, as: UTF8.self))")
            }
            var body = [UInt8](repeating: 0, count: Int(answer["content-length"] ?? "0") ?? 0)
            var read = 0
            while read < body.count {
                let left = body.count - read
                let got = body.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + read, left, 0) }
                guard got > 0 else { throw Failure(description: "body short by \(left)") }
                read += got
            }
            answer.body = String(decoding: body, as: UTF8.self)
            return answer
        }
    }

    func closeWriting() { shutdown(socket, Int32(SHUT_WR)) }

    /// Goes away with a reset.
    func vanish() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        // The descriptor stays ours until deinit; connecting it nowhere aborts the connection.
        var nowhere = sockaddr(
            sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        connect(socket, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    private func run<Result: Sendable>(_ work: @escaping @Sendable (Int32) throws -> Result) async throws
        -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try work(self.socket) }) }
        }
    }
}

/// Runs a program of the system and gives what it printed.
func runProgram(_ path: String, _ arguments: [String]) async throws -> (status: Int32, output: [UInt8]) {
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(returning: [UInt8](pipe.fileHandleForReading.readDataToEndOfFile()))
        }
    }
    process.waitUntilExit()
    return (process.terminationStatus, output)
}
