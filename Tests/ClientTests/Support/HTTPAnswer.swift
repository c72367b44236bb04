import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// One HTTP/1.1 exchange on a connection of its own: nothing is unpacked, followed or repeated.
struct HTTPAnswer: Sendable, Equatable {
    var status: Int
    /// By lower-case name; the last one wins.
    var headers: [String: String]
    var body: [UInt8]
    /// Did the connection end before Content-Length bytes, or the last chunk, had come?
    var isShort = false

    var text: String { String(decoding: body, as: UTF8.self) }

    /// GET (or another method) of an absolute URL; the path goes out as it stands.
    ///
    /// Blocks; use `blocking`. `onFirstByte` is called when the first byte of the body has come.
    static func get(
        _ url: String, method: String = "GET", body: [UInt8] = [], headers: [String: String] = [:],
        seconds: Double = 60, onFirstByte: () -> Void = {}
    ) throws -> HTTPAnswer {
        let (port, path) = try parse(url)
        let connection = try connect(port)
        defer { close(connection) }
        var request = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        if !body.isEmpty { request += "Content-Length: \(body.count)\r\n" }
        try send(Array((request + "\r\n").utf8) + body, to: connection)

        let deadline = Date(timeIntervalSinceNow: seconds)
        var received: [UInt8] = []
        var head: (answer: HTTPAnswer, end: Int)?
        var sawBody = false
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            if head == nil { head = parseHead(received, to: method) }
            if let head {
                if !sawBody, received.count > head.end {
                    sawBody = true
                    onFirstByte()
                }
                if let length = head.answer.headers["content-length"].flatMap(Int.init),
                    method == "HEAD" || received.count - head.end >= length
                {
                    break
                }
            }
            guard try waitReadable(connection, until: deadline) else {
                throw TestFailure("no end of the answer to \(url) within \(seconds) s")
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { break }  // closed or reset: what came is what came
            received.append(contentsOf: buffer[..<count])
        }
        guard let head else { throw TestFailure("\(url): no HTTP answer but \(received.count) bytes") }
        var answer = head.answer
        if answer.headers["transfer-encoding"]?.lowercased() == "chunked" {
            (answer.body, answer.isShort) = joinChunks(received[head.end...])
        } else {
            answer.body = Array(received[head.end...])
            let length = answer.headers["content-length"].flatMap(Int.init) ?? 0
            answer.isShort = method != "HEAD" && answer.body.count < length
        }
        return answer
    }

    /// The body of a chunked answer, and whether its last chunk is lacking.
    private static func joinChunks(_ bytes: ArraySlice<UInt8>) -> (body: [UInt8], isShort: Bool) {
        var body: [UInt8] = []
        var rest = bytes
        while let end = rest.firstRange(of: [13, 10]) {
            guard let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16) else {
                break
            }
            if size == 0 { return (body, false) }
            body += rest[end.upperBound...].prefix(size)
            rest = rest[end.upperBound...].dropFirst(size + 2)
        }
        return (body, true)
    }

    private static func parse(_ url: String) throws -> (port: UInt16, path: String) {
        let prefix = "http://127.0.0.1:"
        guard url.hasPrefix(prefix) else { throw TestFailure("not a loopback URL: \(url)") }
        let rest = url.dropFirst(prefix.count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let port = UInt16(rest[..<slash]) else { throw TestFailure("no port in \(url)") }
        return (port, slash == rest.endIndex ? "/" : String(rest[slash...]))
    }

    private static func parseHead(_ bytes: [UInt8], to method: String) -> (answer: HTTPAnswer, end: Int)? {
        guard let end = bytes.firstRange(of: [13, 10, 13, 10]) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count > 1, let status = Int(words[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[line[..<colon].lowercased()] = value
        }
        return (HTTPAnswer(status: status, headers: headers, body: []), end.upperBound)
    }
}

/// A blocking TCP connection to a loopback port.
private func connect(_ port: UInt16) throws -> Int32 {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard connection >= 0 else { throw TestFailure("no socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            Glibc.connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard status == 0 else {
        close(connection)
        throw TestFailure("cannot connect to port \(port): \(String(cString: strerror(errno)))")
    }
    return connection
}

private func send(_ bytes: [UInt8], to connection: Int32) throws {
    var sent = 0
    while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
            Glibc.send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw TestFailure("connection closed while sending") }
        sent += count
    }
}

private func waitReadable(_ connection: Int32, until deadline: Date) throws -> Bool {
    var descriptor = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, Int32(max(0, deadline.timeIntervalSinceNow * 1000))) > 0
}

/// A loopback port that nobody listens on at the moment.
func freePort() throws -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, size) == 0 ? getsockname(listener, $0, &size) : -1
        }
    }
    guard status == 0 else { throw TestFailure("no free port") }
    return UInt16(bigEndian: address.sin_port)
}
