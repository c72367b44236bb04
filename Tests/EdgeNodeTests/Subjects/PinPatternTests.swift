import EdgeNode
import Testing

@Suite("What is pinned")
struct PinPatternTests {
    static let configuration = """
        [[registry.upstream]]
        name = "corp.lan:5000"
        url = "http://corp.lan:5000"
        aliases = ["images.corp", "hub"]
        rewrites = ["base/* -> platform/*"]
        """

    private func parser() throws -> PinPattern {
        try PinPattern(try Configuration.parse(Self.configuration, environment: ["HOME": "/h"]).configuration)
    }

    @Test(
        "is a module, a version, or what a pattern matches",
        arguments: [
            ("golang.org/x/net", "go/golang.org/x/net@*"),
            ("golang.org/x/net@v0.34.0", "go/golang.org/x/net@v0.34.0.*"),
            ("golang.org/x/net@v0.3*", "go/golang.org/x/net@v0.3**"), ("golang.org/x/*", "go/golang.org/x/*"),
            ("golang.org/x/net@", "go/golang.org/x/net@*"), ("*.corp.example/x", "go/*.corp.example/x@*"),
            ("go:quay.io/team/app", "go/quay.io/team/app@*"),
            ("go/golang.org/x/net@v0.34.0.zip", "go/golang.org/x/net@v0.34.0.zip"),
            ("sumdb/sum.golang.org/*", "sumdb/sum.golang.org/*"),
        ])
    func module(subject: String, pattern: String) throws { #expect(try parser().parse(subject) == pattern) }

    static let digest = "sha256:" + String(repeating: "ab", count: 32)

    @Test(
        "is an image under the name that the store has for it",
        arguments: [
            ("nginx", "oci/docker.io/library/nginx:latest"),
            ("nginx:1.27", "oci/docker.io/library/nginx:1.27"), ("team/app", "oci/docker.io/team/app:latest"),
            ("docker.io/nginx:1", "oci/docker.io/library/nginx:1"),
            ("index.docker.io/team/app:1", "oci/docker.io/team/app:1"),
            ("quay.io/team/app", "oci/quay.io/team/app:latest"),
            ("quay.io/team/app:v2@\(digest)", "oci/quay.io/team/app@\(digest)"),
            ("corp.lan:5000/base/os:1", "oci/corp.lan:5000/platform/os:1"),
            ("images.corp/base/os", "oci/corp.lan:5000/platform/os:latest"),
            ("oci:golang", "oci/docker.io/library/golang:latest"),
            ("debian:*-slim", "oci/docker.io/library/debian:*-slim"),
            ("quay.io/team/*", "oci/quay.io/team/*"),
            ("quay.io/team/*:v1", "oci/quay.io/team/*:v1"),
            ("oci/docker.io/library/nginx@*", "oci/docker.io/library/nginx@*"),
        ])
    func image(subject: String, pattern: String) throws { #expect(try parser().parse(subject) == pattern) }

    @Test(
        "is refused where it names nothing",
        arguments: [
            ("Nginx:1", "lower-case"), ("nginx:-", "tag"), ("ghost.example:5000/app", "registry.upstream"),
            ("app@sha256:12", "sha256"), ("oci:*", "registry before"),
        ])
    func refused(subject: String, says: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try parser().parse(subject) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains(says), "\(failure)")
    }
}
