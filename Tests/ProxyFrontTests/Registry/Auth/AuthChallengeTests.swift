import ProxyFront
import Testing

@Suite struct AuthChallengeTests {
    @Test func aRegistrysChallengeIsRead() {
        let line =
            #"Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push""#
        #expect(
            AuthChallenge.parse([line]) == [
                AuthChallenge(
                    scheme: "bearer",
                    parameters: [
                        "realm": "https://auth.test/token", "service": "registry.test",
                        "scope": "repository:a/b:pull,push",
                    ])
            ])
    }

    @Test(arguments: [
        ([#"Basic realm="x""#], ["basic"]),
        ([#"Basic realm="x", Bearer realm="y",service=z"#], ["basic", "bearer"]),
        ([#"Basic realm="x""#, #"bEaReR realm="y""#], ["basic", "bearer"]),
        (["Negotiate YII=, Basic realm=x"], ["negotiate", "basic"]),
        (["Negotiate, Basic realm=x"], ["negotiate", "basic"]),
        ([#", , Basic realm = "x" ,, Digest nonce="a,b", qop="auth""#], ["basic", "digest"]),
        (["", "===", "\"", "Basic"], ["basic"]),
    ])
    func severalChallengesStandInOneLineOrInMany(lines: [String], schemes: [String]) {
        #expect(AuthChallenge.parse(lines).map(\.scheme) == schemes)
    }

    @Test func quotedTextMayHoldCommasAndEscapes() {
        let found = AuthChallenge.parse([#"Digest nonce="a,b\"c\\d", qop=auth, qop=other"#])
        #expect(found.first?.parameters == ["nonce": #"a,b"c\d"#, "qop": "auth"])
    }

    @Test func anUnendedTextEndsTheLine() {
        #expect(AuthChallenge.parse([#"Bearer realm="https://auth.test"#]).first?.parameters == [:])
        #expect(AuthChallenge.parse([String(repeating: "a,", count: 100_000)]).count <= 8192)
    }
}
