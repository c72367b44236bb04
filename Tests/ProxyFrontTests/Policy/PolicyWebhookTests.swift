import Foundation
import NIOCore
import NIOPosix
import ProxyFront
import Synchronization
import Testing

@Suite("A policy webhook") struct PolicyWebhookTests {
    /// A policy service over real HTTP that answers what a test wants and keeps the questions.
    private final class Service: Responder {
        struct Asked: Sendable {
            let target: String
            let body: String
            let authorization: String?
            let type: String?
        }

        private let questions = Mutex<[Asked]>([])
        let answer: Mutex<@Sendable () async -> Response>

        init(_ answer: @escaping @Sendable () async -> Response) { self.answer = Mutex(answer) }

        convenience init(_ body: String) {
            self.init { Response(status: .ok, body: .array(Array(body.utf8))) }
        }

        var asked: [Asked] { questions.withLock { $0 } }

        func say(_ body: String) {
            answer.withLock { $0 = { Response(status: .ok, body: .array(Array(body.utf8))) } }
        }

        func respond(to request: Request) -> Answer {
            questions.withLock {
                $0.append(
                    Asked(
                        target: request.method.name + " " + request.target,
                        body: request.body.map { String(buffer: $0) } ?? "",
                        authorization: request.headers["Authorization"], type: request.headers["Content-Type"]
                    ))
            }
            let answer = answer.withLock { $0 }
            return .later { await answer() }
        }
    }

    private final class Clock: Sendable {
        let time = Mutex(ContinuousClock.now)
        func advance(_ span: Duration) { time.withLock { $0 += span } }
    }

    private func withPolicy(
        _ service: Service, log: CollectedLog = CollectedLog(), clock: Clock = Clock(), port: Int? = nil,
        _ change: (inout PolicyWebhook) -> Void = { _ in },
        _ body: (PolicyRules) async throws -> Void
    ) async throws {
        try await withServer(service) { served in
            var webhook = PolicyWebhook(
                url: try UpstreamURL(parsing: "http://127.0.0.1:\(port ?? served)/check?site=1"))
            webhook.timeout = .seconds(60)
            change(&webhook)
            var match = PolicyMatch()
            try match.restrict(.repository, to: ["library"])
            let rules = try PolicyRules(
                [PolicyRule(match, .ask(webhook)), PolicyRule(PolicyMatch(), .ask(webhook))],
                group: MultiThreadedEventLoopGroup.singleton, logger: log.logger
            ) { clock.time.withLock { $0 } }
            do {
                try await body(rules)
            } catch {
                try? await rules.shutdown()
                throw error
            }
            try await rules.shutdown()
        }
    }

    private func verdict(_ rules: PolicyRules, _ subject: String) async throws -> PolicyVerdict {
        switch rules.verdict(on: try PolicyRulesTests.subject(subject)) {
        case .now(let verdict): verdict
        case .later(let ask): await ask()
        }
    }

    private struct Question: Decodable, Equatable {
        var kind: String
        var registry: String?
        var repository: String?
        var tag: String?
        var digest: String?
        var module: String?
        var version: String?
    }

    @Test(
        "is asked about the subject, with its token",
        arguments: [
            (
                "nginx:1.27",
                #"{"kind":"image","registry":"docker.io","repository":"library/nginx","tag":"1.27"}"#
            ),
            (
                "quay.io/a/b@\(PolicyRulesTests.bad)",
                #"{"digest":"\#(PolicyRulesTests.bad)","kind":"image","registry":"quay.io","repository":"a/b"}"#
            ),
            ("go/example.com/a@v1.0.0", #"{"kind":"module","module":"example.com/a","version":"v1.0.0"}"#),
            ("go/example.com/a", #"{"kind":"module","module":"example.com/a"}"#),
        ])
    func question(subject: String, body: String) async throws {
        let service = Service(#"{"allow": true, "reason": "clean", "more": 1}"#)
        try await withPolicy(service) {
            $0.token = "hook-secret"
        } _: { rules in
            let said = try await verdict(rules, subject)
            #expect(said == .allow)
        }
        let asked = try #require(service.asked.first)
        #expect(asked.target == "POST /check")
        #expect(asked.body == body)
        #expect(asked.type == "application/json")
        #expect(asked.authorization == "Bearer hook-secret")
    }

    @Test(
        "denies with its reason, as one bounded line",
        arguments: [
            (#"{"allow": false, "reason": "CVE-2099-1"}"#, "CVE-2099-1"),
            (#"{"allow": false}"#, "the policy service gave no reason"),
            (#"{"allow": false, "reason": "a\r\nSet-Cookie: b"}"#, "a  Set-Cookie: b"),
            (
                #"{"allow": false, "reason": "\#(String(repeating: "x", count: 9000))"}"#,
                String(repeating: "x", count: 500)
            ),
        ])
    func denies(answer: String, reason: String) async throws {
        try await withPolicy(Service(answer)) { rules in
            let said = try await verdict(rules, "nginx")
            #expect(said == .deny(reason: reason))
        }
    }

    @Test("is asked once about a subject for as long as its answer counts, however many want to know")
    func cached() async throws {
        let service = Service(#"{"allow": true}"#)
        let clock = Clock()
        try await withPolicy(service, clock: clock) {
            $0.cacheFor = .seconds(100)
        } _: { rules in
            let verdicts = try await withThrowingTaskGroup(of: PolicyVerdict.self) { group in
                for _ in 0..<16 { group.addTask { try await verdict(rules, "nginx:1.27") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(verdicts.allSatisfy { $0 == .allow })
            #expect(service.asked.count == 1)
            service.say(#"{"allow": false, "reason": "now it is known"}"#)
            guard case .now(.allow) = rules.verdict(on: try PolicyRulesTests.subject("nginx:1.27")) else {
                Issue.record("what is known needs no waiting")
                return
            }
            let said = try await verdict(rules, "nginx:1.28")
            #expect(said != .allow)
            clock.advance(.seconds(100))
            let later = try await verdict(rules, "nginx:1.27")
            #expect(later == .deny(reason: "now it is known"))
            #expect(service.asked.count == 3)
        }
    }

    static let failures: [(String, @Sendable () async -> Response)] = [
        ("answered 500", { Response(status: Status(500)) }),
        ("answered 302", { Response(status: Status(302), headers: ["Location": "/other"]) }),
        ("is not {\"allow\"", { .text(.ok, "yes") }),
        ("is not {\"allow\"", { .text(.ok, #"{"allow": "true"}"#) }),
        ("more than 65536 bytes", { .text(.ok, String(repeating: " ", count: 100_000)) }),
    ]

    @Test(
        "that gives no usable answer counts as its rule says, and is not asked again at once",
        arguments: 0..<5)
    func failures(index: Int) async throws {
        let (says, answer) = Self.failures[index]
        for allows in [false, true] {
            let service = Service(answer)
            let (log, clock) = (CollectedLog(), Clock())
            try await withPolicy(service, log: log, clock: clock) {
                $0.allowsOnFailure = allows
                $0.token = "hook-secret"
            } _: { rules in
                for _ in 0..<3 {
                    switch try await verdict(rules, "nginx") {
                    case .allow: #expect(allows)
                    case .deny(let reason):
                        #expect(!allows)
                        #expect(reason.contains(says), "\(reason)")
                        #expect(!reason.contains("site=1"), "a URL's query may hold a secret")
                    }
                }
                #expect(service.asked.count == 1)
                #expect(service.asked.allSatisfy { $0.target == "POST /check" }, "no redirect is followed")
                service.say(#"{"allow": true}"#)
                clock.advance(.seconds(10))
                let said = try await verdict(rules, "nginx")
                #expect(said == .allow)
            }
            #expect(log.text.contains("no usable answer"))
            #expect(!log.text.contains("hook-secret"))
            #expect(!log.text.contains("site=1"))
        }
    }

    @Test("that does not answer in time is given up, before its head and in the middle of its body")
    func timeout() async throws {
        // Ends when the node has given up and closes the connection.
        let silent: @Sendable () async -> Response = {
            try? await Task.sleep(for: .seconds(600))
            return .text(.ok, #"{"allow": true}"#)
        }
        let stalling: @Sendable () async -> Response = {
            let body = PushedBody()
            body.push(#"{"allow": "#)
            return Response(status: .ok, body: .stream(length: 100, body))
        }
        for answer in [silent, stalling] {
            try await withPolicy(Service(answer)) {
                $0.timeout = .milliseconds(300)
            } _: { rules in
                guard case .deny(let reason) = try await verdict(rules, "nginx") else {
                    Issue.record("an answer came out of nothing")
                    return
                }
                #expect(reason.contains("did not answer within 0.3 seconds"), "\(reason)")
            }
        }
    }

    @Test("that is not there counts as its rule says")
    func away() async throws {
        // Nothing listens on port 1.
        try await withPolicy(Service(""), port: 1) { rules in
            guard case .deny(let reason) = try await verdict(rules, "nginx") else {
                Issue.record("an answer came out of nothing")
                return
            }
            #expect(reason.contains("127.0.0.1:1"), "\(reason)")
        }
    }
}
