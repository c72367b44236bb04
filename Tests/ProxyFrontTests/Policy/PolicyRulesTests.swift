import Content
import NIOPosix
import ProxyFront
import Testing

@Suite("Policy rules") struct PolicyRulesTests {
    typealias Fields = [PolicyMatch.Field: [String]]

    static func rules(_ table: [(Fields, PolicyRule.Action)]) throws -> PolicyRules {
        let rules = try table.map { fields, action in
            var match = PolicyMatch()
            for (field, patterns) in fields { try match.restrict(field, to: patterns) }
            return PolicyRule(match, action)
        }
        return try PolicyRules(
            rules, group: MultiThreadedEventLoopGroup.singleton, logger: CollectedLog().logger)
    }

    /// `docker.io/library/nginx:1.27`, `nginx@sha256:...`, or `go/<module>[@<version>]`.
    static func subject(_ text: String) throws -> PolicySubject {
        if text.hasPrefix("go/") {
            let parts = text.dropFirst(3).split(separator: "@").map(String.init)
            return .module(
                try ModulePath(parts[0]), version: parts.count > 1 ? try ModuleVersion(parts[1]) : nil)
        }
        let image = try ImageReference(parsing: text)
        return .image(image.repository, tag: image.tag, digest: image.digest)
    }

    /// The reason of a denial, nil when it is allowed. Without webhooks every verdict is at hand.
    static func reason(_ rules: PolicyRules, _ text: String) throws -> String? {
        guard case .now(let verdict) = rules.verdict(on: try subject(text)) else { return "asks" }
        if case .deny(let reason) = verdict { return reason }
        return nil
    }

    static let bad = "sha256:" + String(repeating: "ab", count: 32)

    static let site: [(Fields, PolicyRule.Action)] = [
        ([.digest: [bad]], .deny(reason: "bad digest")),
        ([.registry: ["docker.io"], .repository: ["library"]], .allow),
        ([.tag: ["latest"]], .deny(reason: "never latest")),
        (
            [.repository: ["strict"], .tag: [#"!re:v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?"#]],
            .deny(reason: "semver")
        ),
        ([.registry: ["!docker.io", "!*.corp.example"]], .deny(reason: "registry")),
        ([.module: ["evil.example"]], .deny(reason: "evil")),
        ([.module: ["old.example/lib"], .version: ["v0.*", "v1.0.?"]], .deny(reason: "old")),
        ([.version: ["*-0.*", "*-*"]], .deny(reason: "pre-release")),
    ]

    static let verdicts: [(String, String?)] = [
        ("nginx:1.27", nil), ("nginx", nil), ("nginx@\(bad)", "bad digest"),
        ("bitnami/redis", "never latest"),
        ("bitnami/redis:7", nil), ("bitnami/redis@sha256:" + String(repeating: "cd", count: 32), nil),
        ("strict/app:1.2.3", nil), ("strict/app:v1.2.3-rc.1", nil), ("strict/app:1.2", "semver"),
        ("strict/app:1.2.3.4", "semver"), ("strict:stable", nil), ("stricter/app:stable", nil),
        ("quay.io/a/b:1", "registry"), ("registry.corp.example/a:1", nil), ("corp.example/a:1", "registry"),
        ("go/evil.example", "evil"), ("go/evil.example/deep@v1.0.0", "evil"), ("go/evil.examples/x", nil),
        ("go/old.example/lib@v0.9.0", "old"), ("go/old.example/lib@v1.0.3", "old"),
        ("go/old.example/lib@v1.0.33", nil), ("go/old.example/lib@v1.1.0", nil), ("go/old.example/lib", nil),
        ("go/any.example@v1.0.0-rc1", "pre-release"), ("go/any.example@v1.0.0", nil),
    ]

    @Test("let the first one decide all of whose fields match", arguments: verdicts)
    func table(subject: String, reason: String?) throws {
        #expect(try Self.reason(try Self.rules(Self.site), subject) == reason)
    }

    @Test("speak of everything when they name nothing")
    func everything() throws {
        let rules = try Self.rules([
            ([.registry: ["docker.io"]], .allow), ([:], .deny(reason: "not listed")),
        ])
        #expect(try Self.reason(rules, "nginx") == nil)
        #expect(try Self.reason(rules, "quay.io/a/b") == "not listed")
        #expect(try Self.reason(rules, "go/example.com/a@v1.0.0") == "not listed")
    }

    @Test("allow everything when there are none")
    func none() throws {
        #expect(try Self.reason(try Self.rules([]), "nginx") == nil)
    }

    @Test("take a digest for known only when it is")
    func digest() throws {
        let rules = try Self.rules([([.digest: ["*"]], .deny(reason: "by digest"))])
        let repository = try ImageReference(parsing: "nginx").repository
        #expect(try Self.reason(rules, "nginx:1.27") == nil)
        let resolved = PolicySubject.image(
            repository, tag: try Tag("1.27"), digest: try Digest(parsing: Self.bad))
        guard case .now(.deny) = rules.verdict(on: resolved) else {
            Issue.record("a tag whose digest is known has one")
            return
        }
    }

    @Test(
        "name what is wrong with a pattern",
        arguments: [
            (PolicyMatch.Field.tag, "re:("), (.tag, ""), (.tag, "a b"), (.repository, "[a"),
            (.module, "!re:"),
            (.tag, "!"),
        ])
    func patterns(field: PolicyMatch.Field, text: String) throws {
        var match = PolicyMatch()
        let error = try #require(throws: PolicyPatternError.self) { try match.restrict(field, to: [text]) }
        #expect(error.pattern == text)
        #expect(error.description.contains("glob"))
    }

    @Test("cannot speak of images and modules at once")
    func contradiction() throws {
        var match = PolicyMatch()
        try match.restrict(.module, to: ["a.example"])
        #expect(!match.isContradictory)
        try match.restrict(.tag, to: ["1"])
        #expect(match.isContradictory)
    }
}
