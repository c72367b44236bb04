import ProxyFront
import Testing

@Suite struct DockerConfigTests {
    @Test func everyKindOfEntryIsRead() throws {
        let config = try DockerConfig(
            parsing: """
                {"auths": {
                    "https://index.docker.io/v1/": {"auth": "bWU6c2VjOnJldA=="},
                    "quay.io": {"username": "you", "password": "pass"},
                    "https://ghcr.io/v2/": {"registrytoken": "abc"},
                    "azure.test": {"auth": "MDAwMDo=", "identitytoken": "refresh"},
                    "kept.test": {}
                 },
                 "credHelpers": {"ecr.test": "ecr-login"}, "HttpHeaders": {"x": "y"}}
                """)
        let hub = config.credential(for: .dockerHub)
        #expect(hub == .fixed(.basic(user: "me", password: "sec:ret")))
        #expect(
            config.credential(for: try RegistryHost("quay.io"))
                == .fixed(.basic(user: "you", password: "pass")))
        #expect(config.credential(for: try RegistryHost("ghcr.io")) == .fixed(.bearer(token: "abc")))
        #expect(
            config.credential(for: try RegistryHost("ecr.test"))
                == .helper(name: "ecr-login", server: "ecr.test"))
        #expect(config.credential(for: try RegistryHost("azure.test")) == .identityToken("refresh"))
        #expect(config.credential(for: try RegistryHost("kept.test")) == nil)
    }

    @Test func aStoreKeepsWhatTheFileDoesNot() throws {
        let config = try DockerConfig(parsing: #"{"auths": {"docker.io": {}}, "credsStore": "pass"}"#)
        #expect(
            config.credential(for: .dockerHub) == .helper(name: "pass", server: "https://index.docker.io/v1/")
        )
    }

    @Test(arguments: [
        "", "[]", #"{"auths": {"a.test": {"auth": "!"}}}"#,
        #"{"auths": {"a.test": {"auth": "bm9jb2xvbg=="}}}"#,
        #"{"auths": {"a.test": {"auth": "c2VjcmV0"}}}"#, #"{"credsStore": "../../bin/sh"}"#,
        #"{"credHelpers": {"a.test": "a b"}}"#,
    ])
    func whatCannotBeUsedIsSaidWithoutItsSecret(text: String) throws {
        let error = #expect(throws: DockerConfigError.self) { _ = try DockerConfig(parsing: text) }
        #expect(error?.reason.contains("secret") == false)
    }
}
