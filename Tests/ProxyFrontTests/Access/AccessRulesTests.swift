import Content
import Logging
import NIOCore
import ProxyFront
import Testing

@Suite("Access rules") struct AccessRulesTests {
    static let module = AccessResource.module
    static func repository(_ text: String) throws -> AccessResource {
        .repository(try ImageReference(parsing: text).repository)
    }

    /// What a client gets of a thing, in one word.
    static func outcome(
        _ rules: AccessRules, _ resource: AccessResource, authorization: String? = nil,
        loopback: Bool = true, secure: Bool = false
    ) async -> String {
        let verdict = await rules.admit(
            .asking(authorization, loopback: loopback, secure: secure), to: resource
        ).verdict()
        switch verdict {
        case .success(let admission): return admission.includesPrivate ? "private" : "public"
        case .failure(.unauthorized): return "401"
        case .failure(.forbidden): return "403"
        case .failure(.busy): return "503"
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let who: String?
        let gets: String
        var testDescription: String { "\(who ?? "nobody") asks for \(what): \(gets)" }

        init(_ what: String, _ who: String?, _ gets: String) {
            self.what = what
            self.who = who
            self.gets = gets
        }
    }

    /// One site: a corporate registry and modules of several teams, the rest public, a forbidden corner.
    static let site: [(content: [String], who: [String], give: AccessRule.Grant)] = [
        (["go/corp.example/secret", "oci/registry.corp.example/secret"], ["role:admin"], .private),
        (["go/corp.example/secret", "oci/registry.corp.example/secret"], ["anyone"], .nothing),
        (["go/corp.example", "oci/registry.corp.example/*"], ["user:alice", "token:ci"], .private),
        (["go/re:corp\\.example/[a-z]+-open"], ["anyone"], .private),
        (["oci/quay.io"], ["anyone"], .nothing),
        (["go"], ["users"], .private),
    ]

    static let cases = [
        Case("go/golang.org/x/net", nil, "public"), Case("go/golang.org/x/net", "alice", "private"),
        Case("go/corp.example/a", nil, "public"), Case("go/corp.example/a", "alice", "private"),
        Case("go/corp.example/a", "ci", "private"), Case("go/corp.example", "bob", "private"),
        Case("go/corp.example.evil/a", nil, "public"),
        Case("go/corp.example/secret", nil, "401"), Case("go/corp.example/secret/deep", nil, "401"),
        Case("go/corp.example/secret", "alice", "403"), Case("go/corp.example/secret", "root", "private"),
        Case("go/corp.example/x-open", nil, "private"), Case("go/corp.example/x-open/y", nil, "public"),
        Case("oci/registry.corp.example/team/app", "alice", "private"),
        Case("oci/registry.corp.example/team/app", "bob", "public"),
        Case("oci/registry.corp.example/secret/app", "ci", "403"),
        Case("oci/quay.io/a/b", nil, "401"), Case("oci/quay.io/a/b", "root", "403"),
        Case("oci/docker.io/library/nginx", nil, "public"), Case("oci/nginx", "alice", "public"),
    ]

    @Test("give what the first one says that speaks of client and content", arguments: cases)
    func table(_ row: Case) async throws {
        try await withRules(Self.site) { rules in
            let resource =
                row.what.hasPrefix("go/")
                ? .module(try ModulePath(String(row.what.dropFirst(3))))
                : try Self.repository(String(row.what.dropFirst(4)))
            let got = await Self.outcome(rules, resource, authorization: row.who.map(Credentials.header))
            #expect(got == row.gets)
        }
    }

    @Test("that are not there give public content to everybody and private content to nobody")
    func none() async throws {
        try await withRules([]) { rules in
            let resource = try Self.repository("nginx")
            for who in [nil, "alice", "ci"] {
                for loopback in [true, false] {
                    let got = await Self.outcome(
                        rules, resource, authorization: who.map(Credentials.header), loopback: loopback,
                        secure: true)
                    #expect(got == "public")
                }
            }
        }
        #expect(await Self.outcome(.open, try Self.repository("nginx")) == "public")
    }

    @Test(
        "never look at credentials that came in the clear from another machine",
        arguments: ["alice", "ci", "stranger", "bearer"])
    func inTheClear(who: String) async throws {
        try await withRules([(["*"], ["users"], .private)]) { rules in
            let resource = try Self.repository("nginx")
            let request = Request.asking(Credentials.header(who), loopback: false, secure: false)
            guard case .now(.failure(.forbidden(let reason))) = rules.admit(request, to: resource) else {
                Issue.record("not refused at once")
                return
            }
            #expect(reason.contains("TLS"))
            #expect(!reason.contains(Credentials.password(who)))
            #expect(await Self.outcome(rules, resource, loopback: false) == "public")
            let encrypted = await Self.outcome(
                rules, resource, authorization: Credentials.header("alice"), loopback: false, secure: true)
            #expect(encrypted == "private")
        }
    }

    @Test("refuse without asking for a password where none may be sent")
    func noChallengeInTheClear() async throws {
        try await withRules([(["*"], ["anyone"], .nothing)]) { rules in
            let resource = try Self.repository("nginx")
            #expect(await Self.outcome(rules, resource, loopback: false) == "403")
            #expect(await Self.outcome(rules, resource, loopback: false, secure: true) == "401")
        }
    }

    @Test("treat credentials that do not hold as none, with the objection beside")
    func wrongPassword() async throws {
        try await withRules([(["oci/quay.io"], ["anyone"], .nothing)]) { rules in
            let header = Credentials.basic("alice", "not it")
            let open = try await rules.admit(.asking(header), to: Self.repository("nginx")).verdict().get()
            #expect(!open.includesPrivate)
            #expect(open.user == nil)
            #expect(open.foreignCredential == nil, "a node user's password is never tried upstream")
            #expect(open.objection == .unauthorized(reason: "the password of user alice is wrong"))
            #expect(
                open.refusal(ofPrivate: "x", to: .asking(header))
                    == .unauthorized(reason: "the password of user alice is wrong"))
            let closed = try await rules.admit(
                .asking(header), to: Self.repository("quay.io/a/b")
            ).verdict()
            #expect(closed == .failure(.unauthorized(reason: "the password of user alice is wrong")))
        }
    }

    @Test("pass credentials of others on as foreign ones")
    func foreign() async throws {
        try await withRules([]) { rules in
            let repository = try Self.repository("nginx")
            let basic = rules.admit(.asking(Credentials.basic("hub-user", "hub:pass")), to: repository)
            guard case .now(.success(let admission)) = basic else {
                Issue.record("nothing has to be hashed for a stranger")
                return
            }
            #expect(admission.foreignCredential == .basic(user: "hub-user", password: "hub:pass"))
            let bearer = try await rules.admit(.asking("Bearer dckr_abc"), to: repository).verdict().get()
            #expect(bearer.foreignCredential == .bearer(token: "dckr_abc"))
        }
    }

    @Test("know a token as Bearer and as the password of any user name")
    func tokens() async throws {
        try await withRules([(["*"], ["token:ci"], .private)]) { rules in
            let repository = try Self.repository("nginx")
            let secret = Credentials.password("ci")
            for header in ["Bearer \(secret)", "bearer  \(secret)", Credentials.basic("whoever", secret)] {
                #expect(await Self.outcome(rules, repository, authorization: header) == "private")
            }
            let other = AccessToken.newSecret()
            for header in ["Bearer \(other)", "Bearer \(secret)x", Credentials.basic("alice", other)] {
                let admission = try await rules.admit(.asking(header), to: repository).verdict().get()
                #expect(!admission.includesPrivate)
                #expect(admission.foreignCredential == nil, "a token of a node is never tried upstream")
                #expect(admission.objection != nil)
            }
        }
    }

    @Test(
        "object to headers that say nothing",
        arguments: [
            "Basic !!!", "Basic", "Basic YWxpY2U=", "Negotiate abc", "Bearer", "Bearer a b",
            "Basic " + String(repeating: "A", count: 20_000), "Basic AAA6AAA=",
        ])
    func unusable(header: String) async throws {
        try await withRules([]) { rules in
            let admission = try await rules.admit(.asking(header), to: Self.repository("nginx")).verdict()
                .get()
            #expect(admission.objection != nil)
            #expect(admission.foreignCredential == nil)
        }
    }

    @Test("take an empty Basic header for none")
    func empty() async throws {
        try await withRules([]) { rules in
            let header = Credentials.basic("", "")
            let admission = try await rules.admit(.asking(header), to: Self.repository("nginx")).verdict()
                .get()
            #expect(admission == .anonymous)
        }
    }

    @Test("show the status to anyone, or to users and tokens only")
    func status() async throws {
        for (open, nobody) in [(true, "public"), (false, "401")] {
            try await withRules([]) {
                $0.showsStatusToAnyone = open
            } _: { rules in
                #expect(await Self.outcome(rules, .node) == nobody)
                #expect(
                    await Self.outcome(rules, .node, authorization: Credentials.header("bob")) == "private")
                #expect(
                    await Self.outcome(rules, .node, authorization: Credentials.header("stranger")) == nobody)
            }
        }
    }

    @Test("tell docker login whether a password is right, and ask for one where that is wanted")
    func login() async throws {
        for (challenges, nobody) in [(false, "public"), (true, "401")] {
            try await withRules([]) {
                $0.challenges = challenges
            } _: { rules in
                #expect(await Self.outcome(rules, .registry) == nobody)
                for (who, gets) in [("alice", "public"), ("ci", "public"), ("stranger", "public")] {
                    let header = Credentials.header(who)
                    #expect(await Self.outcome(rules, .registry, authorization: header) == gets)
                }
                let wrong = Credentials.basic("alice", "wrong")
                #expect(await Self.outcome(rules, .registry, authorization: wrong) == "401")
                #expect(
                    await Self.outcome(rules, .registry, authorization: Credentials.basic("", "")) == "public"
                )
            }
        }
    }

    @Test("give the node's own commands everything")
    func commands() async throws {
        try await withRules([(["*"], ["anyone"], .nothing)], commandSecret: "run-file-secret") { rules in
            let repository = try Self.repository("nginx")
            #expect(
                await Self.outcome(rules, repository, authorization: "Bearer run-file-secret") == "private")
            #expect(await Self.outcome(rules, repository, authorization: "Bearer run-file-secreT") == "401")
        }
    }

    @Test("write no password and no token into the log")
    func logs() async throws {
        let log = CollectedLog()
        try await withRules([(["*"], ["anyone"], .nothing)], logger: log.logger) { rules in
            let repository = try Self.repository("nginx")
            let secrets = [
                "hunter2-wrong", "hunter2-foreign", AccessToken.newSecret(), Credentials.password("ci"),
            ]
            for secret in secrets {
                for header in [
                    Credentials.basic("alice", secret), Credentials.basic("x", secret), "Bearer \(secret)",
                ] {
                    let verdict = await rules.admit(.asking(header), to: repository).verdict()
                    #expect(!"\(verdict)".contains(secret))
                }
            }
            #expect(log.text.contains("wrong password"))
            #expect(log.text.contains("alice"))
            for secret in secrets { #expect(!log.text.contains(secret)) }
        }
    }

    @Test(
        "name what is wrong with a pattern",
        arguments: [
            ("golang.org/x", "go/"), ("", "go/"), ("oci/Quay.io", "lower case"), ("go/[a", "not closed"),
            ("go/re:(", "re:("), ("npm/left-pad", "oci/"),
        ])
    func patterns(text: String, says: String) throws {
        let error = try #require(throws: ContentPatternError.self) { try ContentPattern(text) }
        #expect(error.description.contains(says), "\(error)")
    }
}
