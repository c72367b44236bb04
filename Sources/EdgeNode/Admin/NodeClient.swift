import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import ProxyFront

/// Speaks to a running node for the commands.
package struct NodeClient: Sendable {
    private let base: String
    private let token: String?

    /// - Parameter base: a URL without a trailing slash.
    package init(base: String, token: String? = nil) {
        self.base = base
        self.token = token
    }

    package init(_ file: RunFile) { self.init(base: file.control, token: file.token) }

    /// A refused connection is an answer: asking again until the deadline would hide it. Never shut down, it
    /// lives as long as the command.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(5)))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Nobody answers at the node's address.
    package struct Unreachable: Error {
        package var base: String
        package var reason: String
    }

    /// What a GET brought.
    package struct Answer: Sendable {
        package var status: Int
        /// How many bytes the body had.
        package var size: Int64
        /// The body, as far as it was kept.
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Fetches `path` and keeps `limit` bytes of its body.
    /// - Parameter received: is told how many bytes of the body of a success came, as they come.
    /// - Throws: `Unreachable`, or what broke the connection later.
    package func get(
        _ path: String, headers: [(String, String)] = [], keeping limit: Int = 16 << 20,
        timeout: TimeAmount = .seconds(30), received: (Int) -> Void = { _ in }
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.headers.add(contentsOf: headers)
        let response = try await send(request, timeout: timeout)
        var answer = Answer(status: Int(response.status.code), size: 0, body: [])
        for try await part in response.body {
            answer.size += Int64(part.readableBytes)
            if response.status == .ok { received(part.readableBytes) }
            let room = limit - answer.body.count
            if room > 0 { answer.body += part.readableBytesView.prefix(room) }
        }
        return answer
    }

    private func send(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "User-Agent", value: "edgenode/\(Version.text)")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        do {
            return try await Self.http.execute(request, timeout: timeout)
        } catch let error as NIOConnectionError {
            let reason = error.connectionErrors.first.map { "\($0.error)" } ?? "\(error)"
            throw Unreachable(base: base, reason: reason)
        } catch let error as IOError
            where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
        {
            throw Unreachable(base: base, reason: String(cString: strerror(error.errnoCode)))
        } catch let error as HTTPClientError where error == .connectTimeout {
            throw Unreachable(base: base, reason: "the connection timed out")
        }
    }

    /// Sends one administration call; every line of the answer goes to `each`.
    private func call(
        _ name: String, body: some Encodable, each: (AdminProtocol.Line) throws -> Void
    ) async throws {
        var request = HTTPClientRequest(url: base + AdminProtocol.prefix + name)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(try JSONEncoder().encode(body))
        // Checking a large store takes hours; the node's own end of the connection bounds it.
        let response = try await send(request, timeout: .hours(24 * 7))
        var rest: [UInt8] = []
        for try await part in response.body {
            rest += part.readableBytesView
            guard response.status == .ok else { continue }
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = try JSONDecoder().decode(AdminProtocol.Line.self, from: Data(rest[..<end]))
                rest.removeSubrange(...end)
                if let message = line.error { throw CommandFailure(.inputOutput, message) }
                try each(line)
            }
        }
        guard response.status == .ok else {
            let text = String(decoding: rest.prefix(1000), as: UTF8.self).split(separator: "\n").first ?? ""
            throw CommandFailure(.unavailable, "the node answered \(response.status.code): \(text)")
        }
    }

    /// Sends one administration call whose answer is a file.
    private func file(
        _ name: String, body: some Encodable
    ) async throws -> (byteCount: Int64?, body: any BodyProducer) {
        var request = HTTPClientRequest(url: base + AdminProtocol.prefix + name)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(try JSONEncoder().encode(body))
        let response = try await send(request, timeout: .hours(24 * 7))
        guard response.status == .ok else {
            let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
            throw CommandFailure(
                .unavailable, "the node answered \(response.status.code): \(text.trimmingSpaces())")
        }
        let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
        return (length, ReceivedBody(response.body))
    }

    /// How the node is, and its answer as it came.
    /// - Throws: `CommandFailure` when what answers is no node of this version.
    package func status() async throws -> (report: StatusReport, text: String) {
        let answer = try await get("/api/v1/status")
        guard answer.status == 200 else {
            throw CommandFailure(
                .unavailable, "the node answered \(answer.status): \(answer.text.prefix(300))")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return (try decoder.decode(StatusReport.self, from: Data(answer.body)), answer.text)
        } catch {
            throw CommandFailure(.badData, "what answers is not an edgenode of this version: \(error)")
        }
    }

    /// What the node says of its cluster; nil when it is in none.
    package func cluster() async throws -> ClusterLine? {
        var found: ClusterLine?
        try await call("peers", body: [String: String]()) { found = $0.cluster }
        return found
    }

    /// Has the node try the ways to the members of its cluster and back.
    package func trials() async throws -> [TrialLine] {
        try await result("trials", body: [String: String](), \.trials)
    }

    /// Has the node take the revocation list of its data folder over.
    /// - Returns: false when it is in no cluster.
    package func takeRevocations() async throws -> Bool {
        try await result("revocations", body: [String: String](), \.changed)
    }

    private func result<Value>(
        _ name: String, body: some Encodable, _ pick: (AdminProtocol.Line) -> Value?,
        progress: ((WorkProgress) -> Void)? = nil
    ) async throws -> Value {
        var result: Value?
        try await call(name, body: body) { line in
            if let value = pick(line) { result = value }
            if let found = line.progress { progress?(found) }
        }
        guard let result else {
            throw CommandFailure(.unavailable, "the node stopped before it had answered; see its log")
        }
        return result
    }
}

extension NodeClient: StoreAdministration {
    package func pin(_ pattern: String) async throws {
        _ = try await result("pin", body: AdminProtocol.PatternRequest(pattern: pattern), \.changed)
    }

    package func unpin(_ pattern: String) async throws -> Bool {
        try await result("unpin", body: AdminProtocol.PatternRequest(pattern: pattern), \.changed)
    }

    package func pins() async throws -> [String] {
        try await result("pins", body: [String: String](), \.pins)
    }

    package func verify(
        _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> VerifySummary {
        try await result("verify", body: [String: String](), \.verified, progress: progress)
    }

    package func collect() async throws -> CollectSummary {
        try await result("gc", body: [String: String](), \.collected)
    }

    package func importing(
        _ request: ImportRequest, _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> ImportSummary {
        try await result("import", body: request, \.imported, progress: progress)
    }

    package func planExport(_ request: ExportRequest) async throws -> ExportSummary {
        try await result("export-plan", body: request, \.exportPlan)
    }

    package func export(_ request: ExportRequest) async throws -> (byteCount: Int64, body: any BodyProducer) {
        let (byteCount, body) = try await file("export", body: request)
        guard let byteCount else {
            throw CommandFailure(.software, "the node did not say how long the bundle is")
        }
        return (byteCount, body)
    }

    package func inventory() async throws -> any BodyProducer {
        try await file("inventory", body: [String: String]()).body
    }
}

/// The body of a node's answer, part by part.
private final class ReceivedBody: BodyProducer, @unchecked Sendable {
    // Sendable: the iterator is touched by `next` only, which is never called before its last call returned.
    private var parts: HTTPClientResponse.Body.AsyncIterator

    init(_ body: HTTPClientResponse.Body) { parts = body.makeAsyncIterator() }

    func next() async throws -> BodyPart? { try await parts.next().map { .bytes($0) } }

    func cancelled() {}
}
