import EdgeNode
import Testing

@Suite("What is pinned")
struct PinPatternTests {
    @Test(
        "is a module, a version, or what a pattern matches",
        arguments: [
            ("golang.org/x/net", "go/golang.org/x/net@*"),
            ("golang.org/x/net@v0.34.0", "go/golang.org/x/net@v0.34.0.*"),
            ("golang.org/x/net@v0.3*", "go/golang.org/x/net@v0.3**"), ("golang.org/x/*", "go/golang.org/x/*"),
            ("golang.org/x/net@", "go/golang.org/x/net@*"),
            ("go/golang.org/x/net@v0.34.0.zip", "go/golang.org/x/net@v0.34.0.zip"),
            ("sumdb/sum.golang.org/*", "sumdb/sum.golang.org/*"),
        ])
    func pattern(subject: String, pattern: String) { #expect(PinPattern.parse(subject) == pattern) }
}
