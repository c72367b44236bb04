import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix

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
    /// - Throws: `Unreachable`, or what broke the connection later.
    package func get(
        _ path: String, keeping limit: Int = 16 << 20, timeout: TimeAmount = .seconds(30)
    ) async throws -> Answer {
        let response = try await send(HTTPClientRequest(url: base + path), timeout: timeout)
        var answer = Answer(status: Int(response.status.code), size: 0, body: [])
        for try await part in response.body {
            answer.size += Int64(part.readableBytes)
            let room = limit - answer.body.count
            if room > 0 { answer.body += part.readableBytesView.prefix(room) }
        }
        return answer
    }

    private func send(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        var request = request
        request.headers.add(name: "User-Agent", value: "edgenode/\(Version.text)")
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
}
