import EdgeNode
import ProxyFront
import Testing

@Suite("Access and policy in a configuration")
struct AccessConfigurationTests {
    static let hash =
        "$argon2id$v=19$m=16384,t=3,p=1$5gMzlXPGps75l94pROO0Gw$M0TES9MuXCEc3sDJZqoYKN+WC9tdK6xfOMPE3jvmiAQ"
    static let sum = String(repeating: "0f", count: 32)

    static let users = """
        [[access.user]]
        name = "alice"
        role = "operator"
        password_hash = "\(hash)"
        [[access.token]]
        name = "ci"
        sha256 = "\(sum)"

        """

    private func parse(_ text: String) throws -> Configuration {
        try Configuration.parse(text, environment: ["HOME": "/h"]).configuration
    }

    @Test("are nothing by default")
    func nothing() throws {
        let configuration = try parse("")
        #expect(configuration.access.settings == AccessSettings())
        #expect(configuration.access.proven == ProvenCredentials.Configuration())
        #expect(configuration.access.credentialsFile == nil)
        #expect(configuration.access.settings.showsStatusToAnyone)
        #expect(configuration.policy.isEmpty)
    }

    @Test("are what the document says, in its order")
    func values() throws {
        let configuration = try parse(
            Self.users + """
                [[access.rule]]
                content = "go/corp.example"
                who = "anyone"
                give = "nothing"
                [[access.rule]]
                content = ["oci/registry.corp.example/team", "*"]
                who = ["user:alice", "token:ci", "role:admin", "users"]
                give = "private"
                [access]
                credentials_file = "/etc/c"
                status = "viewer"
                challenge = true
                proven_for = "1m"
                offline_grace = "7d"
                [[policy]]
                registry = ["docker.io", "quay.io"]
                tag = "!latest"
                action = "allow"
                [[policy]]
                module = "a.example"
                webhook = "http://127.0.0.1:1/check?x=1"
                on_failure = "allow"
                timeout = "250ms"
                cache_for = "0"
                token_file = "/etc/t"
                [[policy]]
                action = "deny"
                reason = "because"
                """)
        let access = configuration.access
        #expect(access.settings.users.map(\.name) == ["alice"])
        #expect(access.settings.users.map(\.role) == [.operator])
        #expect(access.settings.tokens.map(\.name) == ["ci"])
        #expect(access.settings.tokens.map(\.digest.hex) == [Self.sum])
        #expect(access.settings.rules.map(\.grant) == [.nothing, .private])
        #expect(access.settings.rules[0].who == [.anyone])
        #expect(
            access.settings.rules[1].who == [.user("alice"), .token("ci"), .role(.admin), .users])
        #expect(access.settings.rules[1].content.map(\.text) == ["oci/registry.corp.example/team", "*"])
        #expect(access.credentialsFile == "/etc/c")
        #expect(!access.settings.showsStatusToAnyone)
        #expect(access.settings.challenges)
        #expect(access.proven.freshFor == .seconds(60))
        #expect(access.proven.grace == .seconds(7 * 86_400))

        #expect(configuration.policy.count == 3)
        #expect(configuration.policy[0].rule.action == .allow)
        guard case .ask(let webhook) = configuration.policy[1].rule.action else {
            Issue.record("the second rule asks")
            return
        }
        #expect(webhook.url.description == "http://127.0.0.1:1/check?x=1")
        #expect(webhook.allowsOnFailure)
        #expect(webhook.timeout == .milliseconds(250))
        #expect(webhook.cacheFor == .zero)
        #expect(configuration.policy[1].tokenFile == "/etc/t")
        #expect(configuration.policy[2].rule == PolicyRule(PolicyMatch(), .deny(reason: "because")))
    }

    static let mistakes: [(text: String, line: Int, says: [String])] = [
        ("[access]\nstatus = \"all\"", 2, ["access.status", "\"anyone\", \"viewer\""]),
        ("[access]\ncredentials_file = \"c\"", 2, ["access.credentials_file", "absolute"]),
        ("[[access.user]]\nname = \"a\"", 1, ["access.user.password_hash", "edgenode password a"]),
        ("[[access.user]]\npassword_hash = \"\(hash)\"", 1, ["access.user.name", "missing"]),
        ("[[access.user]]\nname = \"a\"\npassword_hash = \"hunter2\"", 3, ["password_hash", "no Argon2id"]),
        (
            "[[access.user]]\nname = \"a\"\npassword_hash = \"\(hash.replacing("16384", with: "65536"))\"", 3,
            ["password_hash", "65536 KiB", "edgenode password"]
        ),
        ("[[access.user]]\nname = \"a:b\"\npassword_hash = \"\(hash)\"", 2, ["access.user.name", "a:b"]),
        (
            "[[access.token]]\nname = \"t\"\nsha256 = \"ab\"", 3,
            ["sha256", "64 hexadecimal", "edgenode token"]
        ),
        ("[[access.token]]\nname = \"t\"\nrole = \"root\"\nsha256 = \"\(sum)\"", 3, ["role", "\"admin\""]),
        (
            users + "[[access.token]]\nname = \"alice\"\nsha256 = \"\(sum)\"", 9,
            ["access.token.name", "twice"]
        ),
        ("[[access.rule]]\nwho = \"anyone\"\ngive = \"public\"", 1, ["access.rule.content", "missing"]),
        ("[[access.rule]]\ncontent = \"*\"\ngive = \"public\"", 1, ["access.rule.who", "missing"]),
        ("[[access.rule]]\ncontent = \"*\"\nwho = \"anyone\"", 1, ["access.rule.give", "missing"]),
        (
            "[[access.rule]]\ncontent = \"nginx\"\nwho = \"anyone\"\ngive = \"public\"", 2,
            ["access.rule.content", "nginx", "oci/"]
        ),
        (
            "[[access.rule]]\ncontent = \"*\"\nwho = \"alice\"\ngive = \"public\"", 3,
            ["access.rule.who", "user:<name>"]
        ),
        (
            users + "[[access.rule]]\ncontent = \"*\"\nwho = \"user:alcie\"\ngive = \"public\"", 10,
            ["access.rule.who", "did you mean \"user:alice\"?"]
        ),
        (
            "[[access.rule]]\ncontent = \"*\"\nwho = \"anyone\"\ngive = \"all\"", 4,
            ["access.rule.give", "\"private\""]
        ),
        ("[[policy]]\ntag = \"latest\"", 1, ["policy.action", "missing", "webhook"]),
        ("[[policy]]\naction = \"deny\"", 1, ["policy.reason", "missing"]),
        ("[[policy]]\naction = \"block\"", 2, ["policy.action", "\"deny\""]),
        ("[[policy]]\ntag = \"re:(\"\naction = \"allow\"", 2, ["policy.tag", "re:("]),
        ("[[policy]]\ntags = \"a\"\naction = \"allow\"", 2, ["policy.tags", "\"tag\"?"]),
        ("[[policy]]\ntag = \"a\"\nmodule = \"b\"\naction = \"allow\"", 3, ["policy.module", "two rules"]),
        ("[[policy]]\nwebhook = \"scanner\"\non_failure = \"deny\"", 2, ["policy.webhook", "https://"]),
        ("[[policy]]\nwebhook = \"https://s\"", 1, ["policy.on_failure", "missing"]),
        (
            "[[policy]]\nwebhook = \"https://s\"\non_failure = \"deny\"\naction = \"deny\"", 4,
            ["policy.action", "take one of them out"]
        ),
        ("[[policy]]\naction = \"allow\"\ntimeout = \"1s\"", 3, ["policy.timeout", "no"]),
        (
            "[[policy]]\nwebhook = \"http://s.example\"\non_failure = \"deny\"\ntoken_file = \"/t\"", 4,
            ["policy.token_file", "clear"]
        ),
        ("[policy]\naction = \"allow\"", 1, ["policy", "[[policy]]"]),
    ]

    @Test("report each mistake with its line and what to do", arguments: 0..<mistakes.count)
    func mistake(index: Int) throws {
        let mistake = Self.mistakes[index]
        let error = try #require(throws: ConfigurationError.self) { try parse(mistake.text) }
        #expect(error.issues.count == 1, "\(error)")
        #expect(error.issues.first?.source == .line(mistake.line), "\(error)")
        for part in mistake.says { #expect(error.description.contains(part), "\(error)") }
        #expect(!error.description.contains("hunter2"))
    }

    // MARK: files

    private func secrets(_ text: String) throws -> NodeSecrets { try NodeSecrets.read(for: try parse(text)) }

    @Test("take users and tokens from the credentials file")
    func file() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "# people\nalice operator \(Self.hash)\n\n  ci\tviewer  sha256:\(Self.sum)\r\n", to: "credentials"
        )
        let access = try secrets(
            "[access]\ncredentials_file = \"\(file)\"\n"
                + "[[access.rule]]\ncontent = \"*\"\nwho = [\"user:alice\", \"token:ci\"]\ngive = \"private\"\n"
        ).access
        #expect(access.users.map(\.name) == ["alice"])
        #expect(access.users.map(\.role) == [.operator])
        #expect(access.tokens.map(\.name) == ["ci"])
    }

    @Test(
        "name the line of the credentials file that is wrong, and repeat no secret",
        arguments: [
            ("alice operator", "line 1", "a name, a role and a hash"),
            ("\nalice operator hunter2", "line 2", "no hash"),
            ("alice boss \(hash)", "line 1", "\"boss\""),
            ("a:b viewer \(hash)", "line 1", "a:b"),
            ("a viewer \(hash)\na viewer \(hash)", "line 2", "twice"),
            ("a viewer sha256:hunter2", "line 1", "64 hexadecimal"),
            ("a viewer $argon2id$hunter2", "line 1", "no Argon2id"),
        ])
    func badFile(text: String, line: String, says: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, to: "credentials")
        let failure = try #require(throws: CommandFailure.self) {
            try secrets("[access]\ncredentials_file = \"\(file)\"")
        }
        #expect(failure.message.hasPrefix("access.credentials_file: \(file): \(line): "), "\(failure)")
        #expect(failure.message.contains(says), "\(failure)")
        #expect(!failure.message.contains("hunter2"))
    }

    @Test("refuse a credentials file that everybody may read, and rules for people it does not know")
    func exposedAndUnknown() throws {
        let folder = try TemporaryFolder()
        let exposed = try folder.write("ci viewer sha256:\(Self.sum)", to: "exposed", mode: 0o644)
        let failure = try #require(throws: CommandFailure.self) {
            try secrets("[access]\ncredentials_file = \"\(exposed)\"")
        }
        #expect(failure.message.contains("chmod o-rwx"))
        let file = try folder.write("ci viewer sha256:\(Self.sum)", to: "credentials")
        let rule = "[[access.rule]]\ncontent = \"*\"\nwho = \"token:cd\"\ngive = \"public\"\n"
        let unknown = try #require(throws: CommandFailure.self) {
            try secrets("[access]\ncredentials_file = \"\(file)\"\n" + rule)
        }
        #expect(unknown.message.contains("access.rule 1"))
        #expect(unknown.message.contains("did you mean \"token:ci\"?"), "\(unknown)")
        let twice = try #require(throws: CommandFailure.self) {
            try secrets(
                "[access]\ncredentials_file = \"\(file)\"\n[[access.token]]\nname = \"ci\"\nsha256 = \"\(Self.sum)\""
            )
        }
        #expect(twice.message.contains("\"ci\" stands in the configuration too"))
    }

    @Test("give a webhook the token of its file")
    func webhookToken() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("hook\n", to: "token")
        let policy = try secrets(
            "[[policy]]\nwebhook = \"https://s.example\"\non_failure = \"deny\"\ntoken_file = \"\(file)\""
        ).policy
        guard case .ask(let webhook) = policy.first?.action else {
            Issue.record("the rule asks")
            return
        }
        #expect(webhook.token == "hook")
    }
}
