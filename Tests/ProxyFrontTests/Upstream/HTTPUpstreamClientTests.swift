import Logging
import NIOCore
import NIOPosix
import ProxyFront
import Testing

@Suite struct HTTPUpstreamClientTests {
    private struct FixedResolver: HostResolver {
        let answer: [NetworkAddress]
        func addresses(of host: String) async -> [NetworkAddress] { answer }
    }

    private func fetch(
        _ url: String, span: UpstreamRequest.Span? = nil, ifRange: String? = nil, limit: Int64 = 1 << 20,
        resolver: [String] = [], configure: (inout HTTPUpstreamClient.Configuration) -> Void = { _ in }
    ) async throws -> Result<(UpstreamFacts, [UInt8]), UpstreamFailure> {
        let target = try UpstreamURL(parsing: url)
        var configuration = HTTPUpstreamClient.Configuration(
            redirects: RedirectPolicy(configured: [target.origin]))
        configuration.firstByteTimeout = .seconds(20)
        configuration.stallTimeout = .seconds(20)
        configure(&configuration)
        let client = try HTTPUpstreamClient(
            configuration, group: MultiThreadedEventLoopGroup.singleton,
            resolver: FixedResolver(answer: resolver.compactMap { NetworkAddress($0) }),
            logger: Logger(label: "test"))
        let result: Result<(UpstreamFacts, [UInt8]), UpstreamFailure>
        do throws(UpstreamFailure) {
            let answer = try await client.get(
                UpstreamRequest(target, limit: limit, span: span, ifRange: ifRange))
            var body: [UInt8] = []
            while let part = try await answer.body.next() { body += part.readableBytesView }
            result = .success((answer.facts, body))
        } catch {
            result = .failure(error)
        }
        try await client.shutdown()
        return result
    }

    private enum Outcome: Sendable {
        case body(String)
        case failure(@Sendable (UpstreamFailure) -> Bool)
    }

    private static let faults: [(name: String, steps: [FaultUpstream.Step], outcome: Outcome)] = [
        ("a whole body", [.send(.answer(200, "hello"))], .body("hello")),
        (
            "a body that ends with the connection", [.send(.head(200) + Array("hello".utf8)), .close],
            .body("hello")
        ),
        (
            "chunks",
            [.send(.head(200, ["Transfer-Encoding: chunked"]) + Array("5\r\nhello\r\n0\r\n\r\n".utf8))],
            .body("hello")
        ),
        (
            "chunks cut short",
            [.send(.head(200, ["Transfer-Encoding: chunked"]) + Array("5\r\nhel".utf8)), .close],
            .failure { if case .cutShort = $0 { true } else { false } }
        ),
        (
            "a length not reached",
            [.send(.head(200, ["Content-Length: 10"]) + Array("hello".utf8)), .close],
            .failure { if case .cutShort = $0 { true } else { false } }
        ),
        (
            "a reset in the body", [.send(.head(200, ["Content-Length: 10"]) + Array("hello".utf8)), .reset],
            .failure { if case .cutShort = $0 { true } else { false } }
        ),
        (
            "more bytes than announced", [.send(.answer(200, "hello") + Array("extra".utf8)), .close],
            .body("hello")
        ),
        ("a reset before the head", [.reset], .failure { if case .unreachable = $0 { true } else { false } }),
        ("an end before the head", [.close], .failure { if case .unreachable = $0 { true } else { false } }),
        (
            "no answer", [.hang],
            .failure { if case .timeout(_, .waiting, _) = $0 { true } else { false } }
        ),
        (
            "a stall in the body", [.send(.head(200, ["Content-Length: 10"]) + Array("hello".utf8)), .hang],
            .failure { if case .timeout(_, .receiving, _) = $0 { true } else { false } }
        ),
        (
            "a trickle",
            [
                .send(.head(200, ["Content-Length: 1000"])),
                .trickle([UInt8](repeating: 1, count: 1000), every: .milliseconds(20)),
            ],
            .failure { if case .timeout(_, .receiving, _) = $0 { true } else { false } }
        ),
        (
            "no HTTP at all", [.send(Array("220 mail.example ESMTP\r\n\r\n".utf8)), .close],
            .failure { if case .unusable = $0 { true } else { false } }
        ),
        (
            "a length that is no number", [.send(.head(200, ["Content-Length: twelve"])), .close],
            .failure { if case .unusable = $0 { true } else { false } }
        ),
        (
            "an encoded body", [.send(.answer(200, "xxxxx", ["Content-Encoding: gzip"]))],
            .failure { if case .unusable = $0 { true } else { false } }
        ),
        (
            "a part that nobody asked for", [.send(.answer(206, "hel", ["Content-Range: bytes 0-2/5"]))],
            .failure { if case .unusable = $0 { true } else { false } }
        ),
        (
            "an error with its body", [.send(.answer(410, "gone for good", ["Content-Type: text/x"]))],
            .failure {
                if case .refused(let refusal) = $0 {
                    refusal.status == 410 && refusal.body == Array("gone for good".utf8)
                        && refusal.contentType == "text/x"
                } else {
                    false
                }
            }
        ),
        (
            "an error whose body breaks off",
            [.send(.head(500, ["Content-Length: 99"]) + Array("half".utf8)), .close],
            .failure {
                if case .refused(let refusal) = $0 {
                    refusal.status == 500 && refusal.body == Array("half".utf8)
                } else {
                    false
                }
            }
        ),
        (
            "a length above the limit", [.send(.answer(200, [UInt8](repeating: 1, count: 2000)))],
            .failure { if case .tooLong = $0 { true } else { false } }
        ),
        (
            "an endless body", [.send(.head(200) + [UInt8](repeating: 1, count: 2000)), .hang],
            .failure { if case .tooLong = $0 { true } else { false } }
        ),
    ]

    /// The faults whose outcome is a time-out; the others get all the time they need on a busy machine.
    private static let slow: Set<String> = ["no answer", "a stall in the body", "a trickle"]

    @Test(arguments: faults.indices)
    func eachFaultHasItsOutcome(index: Int) async throws {
        let fault = Self.faults[index]
        try await FaultUpstream.serving { _ in
            fault.steps
        } _: { upstream in
            let result = try await fetch("\(upstream.url)/x", limit: 1000) { configuration in
                guard Self.slow.contains(fault.name) else { return }
                configuration.firstByteTimeout = .seconds(1)
                configuration.stallTimeout = .seconds(1)
            }
            switch (result, fault.outcome) {
            case (.success((_, let body)), .body(let expected)):
                #expect(String(decoding: body, as: UTF8.self) == expected, "\(fault.name)")
            case (.failure(let failure), .failure(let matches)):
                #expect(matches(failure), "\(fault.name): \(failure)")
            default: Issue.record("\(fault.name): \(result)")
            }
        }
    }

    @Test func anUnusedPortIsUnreachable() async throws {
        let port = try await FaultUpstream.serving { _ in
            []
        } _: {
            $0.port
        }
        guard case .failure(.unreachable(_, let reason)) = try await fetch("http://127.0.0.1:\(port)/x")
        else {
            Issue.record("nobody listens there")
            return
        }
        #expect(reason == "connection refused")
    }

    @Test func nothingOfAClientTravelsOnAndTheHeadersAreFew() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, "x"))]
        } _: { upstream in
            _ = try await fetch("\(upstream.url)/x")
            let names = Set(try #require(upstream.asked.first).headers.keys)
            #expect(names.isSubset(of: ["host", "user-agent", "accept-encoding", "connection"]))
            #expect(upstream.asked.first?.headers["accept-encoding"] == "identity")
        }
    }

    @Test func aRangeIsAskedForUnderItsValidator() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(206, "llo", ["Content-Range: bytes 2-4/5", "ETag: \"v1\""]))]
        } _: { upstream in
            let (facts, body) = try await fetch(
                "\(upstream.url)/x", span: .init(start: 2), ifRange: "\"v1\""
            ).get()
            #expect(upstream.asked.first?.headers["range"] == "bytes=2-")
            #expect(upstream.asked.first?.headers["if-range"] == "\"v1\"")
            #expect(facts.offset == 2)
            #expect(facts.total == 5)
            #expect(facts.length == 3)
            #expect(facts.validator == "\"v1\"")
            #expect(String(decoding: body, as: UTF8.self) == "llo")
        }
    }

    @Test(arguments: ["W/\"weak\"", "bare", "\"\"", "\"open"])
    func aTagThatIsNotStrongIsNoValidator(tag: String) async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, "x", ["ETag: \(tag)"]))]
        } _: { upstream in
            let facts = try await fetch("\(upstream.url)/x").get().0
            #expect(facts.validator == nil)
        }
    }

    @Test func credentialsStayWithTheirOriginAcrossARedirect() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, "there"))]
        } _: { second in
            let url = second.url
            try await FaultUpstream.serving { _ in
                [.send(.answer(302, "", ["Location: \(url)/y"]))]
            } _: { first in
                let (facts, body) = try await fetch("\(first.url)/x") { configuration in
                    let origins = [first.url, second.url].compactMap { try? UpstreamURL(parsing: $0).origin }
                    configuration.redirects = RedirectPolicy(configured: Set(origins))
                    configuration.credentials = UpstreamCredentials(
                        byOrigin: [origins[0]: .basic(user: "alice", password: "s3cret")])
                }.get()
                #expect(String(decoding: body, as: UTF8.self) == "there")
                #expect(first.asked.first?.headers["authorization"] == "Basic YWxpY2U6czNjcmV0")
                #expect(second.asked.first?.headers["authorization"] == nil)
                #expect(!facts.authenticated)
            }
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:1/", "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd",
    ])
    func aRedirectIntoTheNodesNetworkIsRefused(location: String) async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(302, "", ["Location: \(location)"]))]
        } _: { upstream in
            guard case .failure(.unusable) = try await fetch("\(upstream.url)/x") else {
                Issue.record("\(location) must not be followed")
                return
            }
        }
    }

    @Test func aRedirectToANameWithAPrivateAddressIsRefused() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(302, "", ["Location: http://innocent.test/"]))]
        } _: { upstream in
            let result = try await fetch("\(upstream.url)/x", resolver: ["8.8.8.8", "10.0.0.1"])
            guard case .failure(.unusable(_, let reason)) = result else {
                Issue.record("one private address is enough: \(result)")
                return
            }
            #expect(reason.contains("innocent.test"))
        }
    }

    @Test func redirectsEnd() async throws {
        try await FaultUpstream.serving { asked in
            [.send(.answer(302, "", ["Location: \(asked.path)x"]))]
        } _: { upstream in
            guard case .failure(.unusable) = try await fetch("\(upstream.url)/x") else {
                Issue.record("a chain of redirects must end")
                return
            }
            #expect(upstream.asked.count == 6)
        }
    }

    @Test func everythingGoesThroughATunnelOfTheProxy() async throws {
        try await FaultUpstream.serving { asked in
            asked.path == "upstream.test:80" ? [.send(.head(200))] : [.send(.answer(200, asked.path))]
        } _: { proxy in
            let url = proxy.url
            let result = try await fetch("http://upstream.test/a/b") { configuration in
                configuration.proxy = try? OutboundProxy(
                    url: url, credential: .basic(user: "u", password: "p"))
            }
            let (_, body) = try result.get()
            #expect(String(decoding: body, as: UTF8.self) == "/a/b")
            #expect(proxy.asked.map(\.path) == ["upstream.test:80", "/a/b"])
            #expect(proxy.asked.first?.headers["proxy-authorization"] == "Basic dTpw")
            #expect(proxy.asked.last?.headers["proxy-authorization"] == nil)
        }
    }
}
