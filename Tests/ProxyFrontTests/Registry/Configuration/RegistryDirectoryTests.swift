import ProxyFront
import Testing

@Suite struct RegistryDirectoryTests {
    private static func directory(_ defaultHost: String? = "docker.io") throws -> RegistryDirectory {
        func upstream(_ host: String, _ aliases: [String] = []) throws -> RegistryUpstream {
            var upstream = RegistryUpstream(
                host: try RegistryHost(host), endpoints: [try UpstreamURL(parsing: "https://\(host)")])
            upstream.aliases = try aliases.map { try RegistryHost($0) }
            return upstream
        }
        var hub = try upstream("docker.io", ["index.docker.io", "registry-1.docker.io"])
        hub.addsLibrary = true
        hub.rewrites = [
            RepositoryRewrite(from: "old/*", to: "new/team/*"),
            RepositoryRewrite(from: "one", to: "other/one"),
        ]
        return try RegistryDirectory(
            [hub, upstream("quay.io"), upstream("localhost:5000"), upstream("localhost")],
            defaultHost: try defaultHost.map { try RegistryHost($0) })
    }

    @Test(arguments: [
        ("nginx", nil, "docker.io/library/nginx"),
        ("team/app", nil, "docker.io/team/app"),
        ("docker.io/nginx", nil, "docker.io/library/nginx"),
        ("docker.io/team/app", nil, "docker.io/team/app"),
        ("index.docker.io/nginx", nil, "docker.io/library/nginx"),
        ("library/nginx", "docker.io", "docker.io/library/nginx"),
        ("nginx", "registry-1.docker.io", "docker.io/library/nginx"),
        ("team/app", "quay.io", "quay.io/team/app"),
        ("app", "quay.io", "quay.io/app"),
        ("quay.io/team/app", "quay.io", "quay.io/team/app"),
        ("index.docker.io/team/app", "docker.io", "docker.io/team/app"),
        ("localhost:5000/app", nil, "localhost:5000/app"),
        ("localhost/app", nil, "localhost/app"),
        ("old/app/x", nil, "docker.io/new/team/app/x"),
        ("one", "docker.io", "docker.io/other/one"),
        ("QUAY.IO/app", nil, "quay.io/app"),
        // Of another registry, so part of the name, and names may hold dots.
        ("mirror.test/app", "quay.io", "quay.io/mirror.test/app"),
    ])
    func aRequestMeansOneRepository(path: String, namespace: String?, wanted: String) throws {
        let found = try Self.directory().resolve(path: path, namespace: namespace)
        #expect("\(found.repository)" == wanted)
        #expect(found.upstream.host == found.repository.registry)
    }

    @Test(arguments: [
        ("gcr.io/app", nil), ("app", "gcr.io"), ("Bad/Name", nil), ("", nil), ("quay.io/", nil),
        ("app", "no host"),
        ("localhost:5001/app", nil), ("a//b", nil), ("../etc", nil),
    ])
    func whatIsNotConfiguredOrNoNameIsRefused(path: String, namespace: String?) throws {
        let directory = try Self.directory()
        #expect(throws: RegistryDirectoryError.self) {
            try directory.resolve(path: path, namespace: namespace)
        }
    }

    @Test func withoutADefaultANameMustSayItsRegistry() throws {
        let directory = try Self.directory(nil)
        #expect(throws: RegistryDirectoryError.noRegistry("nginx")) {
            try directory.resolve(path: "nginx", namespace: nil)
        }
        #expect(
            try directory.resolve(path: "nginx", namespace: "docker.io").repository.name.text
                == "library/nginx")
    }

    @Test func oneNameBelongsToOneRegistry() throws {
        let upstream = RegistryUpstream(
            host: try RegistryHost("a.test"), endpoints: [try UpstreamURL(parsing: "https://a.test")])
        var other = RegistryUpstream(
            host: try RegistryHost("b.test"), endpoints: [try UpstreamURL(parsing: "https://b.test")])
        other.aliases = [upstream.host]
        let (both, missing) = ([upstream, other], try RegistryHost("c.test"))
        #expect(throws: RegistryDirectoryError.taken(upstream.host)) {
            _ = try RegistryDirectory(both, defaultHost: nil)
        }
        #expect(throws: RegistryDirectoryError.noDefault(missing)) {
            _ = try RegistryDirectory([upstream], defaultHost: missing)
        }
    }

    @Test(arguments: [
        ("a/*", "b/*", "a/x/y", "b/x/y"), ("a/*", "b", "a/x", "b"), ("*", "mirror/*", "x/y", "mirror/x/y"),
        ("a/*/c", "z/*", "a/b/c", "z/b"), ("*-old/*", "new/*", "team-old/app", "new/team"),
        ("a", "b", "a", "b"),
    ])
    func aRewriteGivesANameAnother(from: String, to: String, name: String, wanted: String) {
        #expect(RepositoryRewrite(from: from, to: to).applied(to: name) == wanted)
    }

    @Test(arguments: [("a/*", "b/x"), ("a", "ab"), ("a*c", "ab"), ("ab*bc", "abc")])
    func aRewriteThatDoesNotMatchChangesNothing(from: String, name: String) {
        #expect(RepositoryRewrite(from: from, to: "z").applied(to: name) == nil)
    }
}
