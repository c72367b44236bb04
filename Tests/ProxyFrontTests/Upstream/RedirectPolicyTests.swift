import ProxyFront
import Testing

@Suite struct RedirectPolicyTests {
    private static func origin(_ url: String) throws -> UpstreamOrigin {
        try UpstreamURL(parsing: url).origin
    }

    @Test(arguments: [
        ("https://proxy.example", "https://proxy.example", RedirectPolicy.Verdict.follow),
        ("https://proxy.example", "https://storage.example", .followIfPublic),
        ("http://10.0.0.5:3000", "http://10.0.0.5:3000", .follow),
        ("https://proxy.example", "http://10.0.0.5:3000", .refuse("it leads from https to plain http")),
        ("http://proxy.example", "http://10.0.0.5:3000", .follow),
        ("http://proxy.example", "http://10.0.0.6:3000", .refuse("10.0.0.6 is not a public address")),
        (
            "http://proxy.example", "http://169.254.169.254",
            .refuse("169.254.169.254 is not a public address")
        ),
        ("http://proxy.example", "http://localhost:80", .refuse("it leads to this machine")),
        ("http://proxy.example", "http://127.1", .refuse("it leads to this machine")),
        ("http://proxy.example", "http://[::1]:8080", .refuse("it leads to this machine")),
        ("https://proxy.example", "https://cdn.corp.example", .follow),
        ("https://proxy.example", "https://files.internal", .follow),
        ("https://proxy.example", "https://8.8.8.8", .followIfPublic),
    ])
    func aRedirectIsJudgedByWhereItLeads(
        from: String, to: String, verdict: RedirectPolicy.Verdict
    ) throws {
        let policy = RedirectPolicy(
            configured: [try Self.origin("https://proxy.example"), try Self.origin("http://10.0.0.5:3000")],
            redirectHosts: ["*.corp.example", "files.internal"])
        #expect(policy.verdict(from: try Self.origin(from), to: try Self.origin(to)) == verdict)
    }

    @Test func onlyNamedHostsAreFollowedToWhenThatIsAsked() throws {
        let policy = RedirectPolicy(
            configured: [try Self.origin("https://proxy.example")], redirectHosts: ["cdn.example"],
            onlyRedirectHosts: true)
        let here = try Self.origin("https://proxy.example")
        #expect(policy.verdict(from: here, to: try Self.origin("https://cdn.example")) == .follow)
        #expect(
            policy.verdict(from: here, to: try Self.origin("https://8.8.8.8"))
                == .refuse("8.8.8.8 is not among redirect_hosts"))
    }
}

@Suite struct NetrcTests {
    @Test func everyMachineIsRead() throws {
        let netrc = try Netrc(
            parsing: """
                # comment machine no login no password no
                machine one.example login alice password s3cret
                machine Two.example
                    login bob
                    account ignored
                    password "quoted"
                macdef init
                machine evil login x password y

                machine one.example login later password later
                machine half.example login only
                default login anyone password everywhere
                machine after.example login carol password z
                """)
        #expect(netrc.login(for: "one.example")?.user == "alice")
        #expect(netrc.login(for: "one.example")?.password == "s3cret")
        #expect(netrc.login(for: "TWO.example")?.user == "bob")
        #expect(netrc.login(for: "evil") == nil)
        #expect(netrc.login(for: "half.example") == nil)
        #expect(netrc.login(for: "unknown.example") == nil)
        #expect(netrc.login(for: "after.example")?.password == "z")
    }

    @Test(arguments: [
        ("machine", 1, "machine"), ("machine h login", 1, "login"),
        ("\n\nmachine h login u pasword hunter2", 3, "belongs here"),
    ])
    func whatIsWrongIsSaidWithItsLineButWithoutItsWord(text: String, line: Int, word: String) {
        do {
            _ = try Netrc(parsing: text)
            Issue.record("\(text) must be refused")
        } catch {
            #expect(error.line == line)
            #expect(error.description.contains(word))
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test func aNetrcLoginIsNeverSentInTheClear() throws {
        let credentials = UpstreamCredentials(
            byOrigin: [try UpstreamURL(parsing: "http://explicit").origin: .bearer(token: "t")],
            netrc: try Netrc(parsing: "machine h login u password p machine 127.0.0.1 login l password m"))
        func credential(_ url: String) throws -> UpstreamCredential? {
            credentials.credential(for: try UpstreamURL(parsing: url).origin)
        }
        #expect(try credential("https://h") == .basic(user: "u", password: "p"))
        #expect(try credential("http://h") == nil)
        #expect(try credential("http://127.0.0.1:99") == .basic(user: "l", password: "m"))
        #expect(try credential("http://explicit") == .bearer(token: "t"))
        #expect(try credential("http://explicit:81") == nil)
        #expect(try credential("https://explicit") == nil)
    }
}

@Suite struct OutboundProxyTests {
    @Test(arguments: [
        ("https://proxy.golang.example", true), ("http://127.0.0.1:3000", false), ("http://localhost", false),
        ("https://internal.corp", false), ("https://a.internal.corp", false),
        ("https://notinternal.corp", true),
        ("https://x.lan", false), ("https://lan", true),
    ])
    func theExceptionsAreReachedDirectly(url: String, isServed: Bool) throws {
        let proxy = try OutboundProxy(url: "http://gate:3128", exceptions: ["internal.corp", ".lan"])
        #expect(proxy.serves(try UpstreamURL(parsing: url).origin) == isServed)
        #expect(proxy.host == "gate")
        #expect(proxy.port == 3128)
    }

    @Test func aProxyOverTLSIsRefusedWithTheReason() {
        #expect(throws: OutboundProxyError.scheme) { try OutboundProxy(url: "https://gate") }
    }
}
