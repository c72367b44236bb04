import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder
import class FoundationEssentials.JSONEncoder

/// Asks webhooks by POST: only those configured, following no redirect, through no proxy.
final class PolicyWebhookClient: Sendable {
    /// The longest answer taken, in bytes.
    static let answerLimit = 64 << 10
    private static let connections = 16

    private let client: HTTPClient

    /// - Parameter certificateAuthorities: PEM files of authorities trusted besides the system's.
    /// - Throws: `UpstreamClientError` when one cannot be used.
    init(group: any EventLoopGroup, certificateAuthorities: [String]) throws(UpstreamClientError) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = try HTTPUpstreamClient.tls(certificateAuthorities)
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    func shutdown() async throws { try await client.shutdown() }

    func ask(
        _ webhook: PolicyWebhook, about subject: PolicySubject
    ) async throws(PolicyWebhookFailure) -> PolicyVerdict {
        let (status, body) = try await post(webhook, subject)
        guard status == 200 else { throw PolicyWebhookFailure("it answered \(status)") }
        do {
            let advice = try JSONDecoder().decode(PolicyAdvice.self, from: Data(body.readableBytesView))
            return advice.allow ? .allow : .deny(reason: advice.shownReason)
        } catch {
            throw PolicyWebhookFailure("its answer is not {\"allow\": true or false, \"reason\": \"...\"}")
        }
    }

    private func post(
        _ webhook: PolicyWebhook, _ subject: PolicySubject
    ) async throws(PolicyWebhookFailure) -> (UInt, ByteBuffer) {
        do {
            var request = HTTPClientRequest(url: webhook.url.description)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.headers.add(name: "Accept", value: "application/json")
            request.headers.add(name: "User-Agent", value: "edgenode")
            if let token = webhook.token {
                request.headers.add(name: "Authorization", value: "Bearer \(token)")
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            request.body = .bytes(try encoder.encode(PolicyQuestion(subject)))
            return try await answer(to: request, within: webhook.timeout)
        } catch let error as HTTPClientError where Self.isTimeout(error) {
            throw PolicyWebhookFailure("it did not answer within \(webhook.timeout)")
        } catch is NIOTooManyBytesError {
            throw PolicyWebhookFailure("its answer has more than \(Self.answerLimit) bytes")
        } catch {
            throw PolicyWebhookFailure("it cannot be asked: \(error)")
        }
    }

    /// One bound for everything: the client's own deadlines end at the head or count anew for each part.
    private func answer(
        to request: HTTPClientRequest, within timeout: Duration
    ) async throws -> (UInt, ByteBuffer) {
        try await withThrowingTaskGroup(of: (UInt, ByteBuffer).self) { group in
            group.addTask {
                let response = try await self.client.execute(request, timeout: TimeAmount(timeout))
                return (response.status.code, try await response.body.collect(upTo: Self.answerLimit))
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw HTTPClientError.deadlineExceeded
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw HTTPClientError.deadlineExceeded }
            return first
        }
    }

    private static func isTimeout(_ error: HTTPClientError) -> Bool {
        [.connectTimeout, .readTimeout, .deadlineExceeded, .writeTimeout].contains(error)
    }
}
