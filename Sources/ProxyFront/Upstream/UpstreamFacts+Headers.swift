import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#endif

extension UpstreamFacts {
    /// Reads the headers of an answer.
    /// - Throws: `UpstreamFailure.unusable` for a length or range that cannot be read.
    init(_ headers: HTTPHeaders, status: UInt, upstream: String) throws(UpstreamFailure) {
        if let text = headers.first(name: "content-length") {
            guard let value = Int64(text), value >= 0 else {
                throw .unusable(upstream: upstream, reason: "Content-Length \"\(text.prefix(40))\"")
            }
            length = value
        }
        contentType = headers.first(name: "content-type").map { String($0.prefix(200)) }
        if let tag = headers.first(name: "etag"), tag.hasPrefix("\""), tag.hasSuffix("\""),
            tag.utf8.count > 2,
            tag.utf8.count <= 300
        {
            validator = tag
        }
        lastModified = headers.first(name: "last-modified").map { String($0.prefix(64)) }
        digest = headers.first(name: "docker-content-digest").map { String($0.prefix(256)) }
        links = headers["link"].prefix(16).map { String($0.prefix(4096)) }
        rateLimit = UpstreamRateLimit(
            limit: headers.first(name: "ratelimit-limit"),
            remaining: headers.first(name: "ratelimit-remaining"))
        guard status == 206 else {
            total = length
            return
        }
        let text = headers.first(name: "content-range") ?? ""
        guard let (range, whole) = Self.contentRange(text) else {
            throw .unusable(upstream: upstream, reason: "206 with Content-Range \"\(text.prefix(60))\"")
        }
        let count = range.upperBound - range.lowerBound
        guard length == nil || length == count else {
            throw .unusable(upstream: upstream, reason: "206 whose length is not that of its Content-Range")
        }
        offset = range.lowerBound
        length = count
        total = whole
    }

    /// `bytes a-b/total` or `bytes a-b/*` (RFC 9110, section 14.4).
    static func contentRange(_ text: String) -> (Range<Int64>, total: Int64?)? {
        guard text.lowercased().hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let bounds = parts[0].split(separator: "-", maxSplits: 1)
        guard bounds.count == 2, let first = Int64(bounds[0]), let last = Int64(bounds[1]), first >= 0,
            first <= last, last < Int64.max
        else { return nil }
        if parts[1] == "*" { return (first..<last + 1, nil) }
        guard let total = Int64(parts[1]), last < total else { return nil }
        return (first..<last + 1, total)
    }
}

extension UpstreamFailure {
    /// What an error of the HTTP client means.
    init(
        _ error: any Error, upstream: String, phase: Phase, configuration: HTTPUpstreamClient.Configuration
    ) {
        switch error {
        case let error as UpstreamFailure: self = error
        case is CancellationError: self = .cancelled
        case let error as HTTPClientError:
            self = Self.failure(error, upstream: upstream, phase: phase, configuration: configuration)
        case ChannelError.connectTimeout:
            self = .timeout(upstream: upstream, phase: .connecting, after: configuration.connectTimeout)
        case let error as NIOConnectionError:
            let reason =
                error.connectionErrors.first.map { Self.words($0.error) } ?? "its name has no address"
            let timedOut = error.connectionErrors.contains {
                if case ChannelError.connectTimeout = $0.error { true } else { false }
            }
            self =
                timedOut
                ? .timeout(upstream: upstream, phase: .connecting, after: configuration.connectTimeout)
                : .unreachable(upstream: upstream, reason: reason)
        case let error as HTTPParserError:
            if phase == .receiving, error == .invalidEOFState || error == .closedConnection {
                self = .cutShort(upstream: upstream, received: 0, expected: nil)
            } else {
                self = .unusable(upstream: upstream, reason: "not HTTP: \(error)")
            }
        case is IOError where phase == .receiving:
            self = .cutShort(upstream: upstream, received: 0, expected: nil)
        default: self = .unreachable(upstream: upstream, reason: Self.words(error))
        }
    }

    /// What a person is told of an error: clients show it.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return String(cString: strerror(error.errnoCode)).lowercased()
    }

    private static func failure(
        _ error: HTTPClientError, upstream: String, phase: Phase,
        configuration: HTTPUpstreamClient.Configuration
    ) -> UpstreamFailure {
        switch error {
        case .cancelled: .cancelled
        case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout:
            .timeout(upstream: upstream, phase: .connecting, after: configuration.connectTimeout)
        case .deadlineExceeded, .getConnectionFromPoolTimeout:
            .timeout(upstream: upstream, phase: phase, after: configuration.firstByteTimeout)
        case .readTimeout: .timeout(upstream: upstream, phase: phase, after: configuration.stallTimeout)
        case .remoteConnectionClosed where phase == .receiving:
            .cutShort(upstream: upstream, received: 0, expected: nil)
        case .remoteConnectionClosed:
            .unreachable(upstream: upstream, reason: "it closed the connection without an answer")
        default: .unreachable(upstream: upstream, reason: "\(error)")
        }
    }
}

extension TimeAmount {
    /// Rounded down to nanoseconds; at most about 292 years.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self = overflow ? .nanoseconds(.max) : .nanoseconds(whole + attoseconds / 1_000_000_000)
    }
}
