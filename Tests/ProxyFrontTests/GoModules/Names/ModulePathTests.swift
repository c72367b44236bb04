import ProxyFront
import Testing

@Suite struct ModulePathTests {
    @Test(arguments: [
        "golang.org/x/net", "github.com/BurntSushi/toml", "github.com/BurntSushi/toml/v2", "rsc.io/quote/v3",
        "gopkg.in/yaml.v2", "gopkg.in/check.v1", "gopkg.in/dummy.v2-unstable", "gopkg.in/foo.v0",
        "example.com/foo.go", "example.com/a~b", "example.com/x_y-z", "9fans.net/go", "k8s.io/klog/v2",
        "a.b", "x.y/v10", "example.com/v", "example.com/v2x", "example.com/com10", "example.com/~1a",
        "vcs-test.golang.org/git/hello.git", "example.com/nul-x",
    ])
    func `a path that the go command accepts is accepted`(text: String) throws {
        #expect(try ModulePath(text).text == text)
        #expect(try ModulePath(escaped: ModulePath(text).escaped).text == text)
    }

    @Test(arguments: [
        "", "/", "golang.org/", "/golang.org", "golang.org//x", "net", "net/http", "Golang.org/x", "-x.com/y",
        "a_b.com/x", "example.com/.x", "example.com/x.", "example.com/..", "example.com/a/../b",
        "example.com/a b",
        "example.com/é", "example.com/a+b", "example.com/a@b", "example.com/a%20b", "example.com/a:b",
        "example.com/a\\b", "example.com/con", "example.com/Aux.x", "example.com/COM1", "example.com/lpt9.go",
        "example.com/foo~1", "example.com/foo~12.go", "example.com/v1", "example.com/v0", "example.com/v02",
        "example.com/v1.2", "example.com/x/v2.0", "gopkg.in/yaml", "gopkg.in/yaml.v02", "gopkg.in/yaml/v2",
        "gopkg.in/yaml.v", "example.com/x\u{0}", "example.com/\n", "example.com/!x", "./x.com/y",
        "xn--\u{212A}.com/y",
    ])
    func `a path that the go command refuses is refused`(text: String) {
        #expect(throws: ModulePathError.self) { try ModulePath(text) }
    }

    @Test func `a path is bounded in length`() throws {
        let longest = "example.com/" + String(repeating: "a", count: ModulePath.maximumByteCount - 12)
        #expect(try ModulePath(longest).text == longest)
        #expect(throws: ModulePathError.self) { try ModulePath(longest + "a") }
    }

    @Test(arguments: [
        ("github.com/BurntSushi/toml", "github.com/!burnt!sushi/toml"),
        ("example.com/ABC", "example.com/!a!b!c"),
        ("golang.org/x/net", "golang.org/x/net"),
    ])
    func `upper-case letters are escaped and unescaped`(plain: String, escaped: String) throws {
        #expect(try ModulePath(plain).escaped == escaped)
        #expect(try ModulePath(escaped: escaped).text == plain)
    }

    @Test(arguments: [
        "github.com/BurntSushi/toml", "github.com/!Burnt", "github.com/!", "github.com/a!", "github.com/!!a",
        "github.com/!1", "github.com/a!A", "github.com/!é", "!github.com/x",
    ])
    func `a badly escaped path is refused`(escaped: String) {
        #expect(throws: ModulePathError.self) { try ModulePath(escaped: escaped) }
    }

    @Test(arguments: [
        ("example.com/x", ""), ("example.com/x/v2", "/v2"), ("example.com/x/v11", "/v11"),
        ("gopkg.in/yaml.v3", ".v3"),
        ("gopkg.in/dummy.v2-unstable", ".v2-unstable"), ("example.com/v2x", ""), ("example.com/x/y2", ""),
    ])
    func `the major version suffix is told apart`(path: String, suffix: String) throws {
        #expect(try ModulePath(path).majorSuffix == suffix)
    }

    @Test(arguments: [
        ("example.com/x", "v0.1.0", true), ("example.com/x", "v1.9.0", true),
        ("example.com/x", "v2.0.0", false),
        ("example.com/x", "v2.0.0+incompatible", true), ("example.com/x/v2", "v2.3.4", true),
        ("example.com/x/v2", "v1.0.0", false), ("example.com/x/v2", "v3.0.0", false),
        ("gopkg.in/yaml.v2", "v2.2.8", true), ("gopkg.in/yaml.v2", "v3.0.0", false),
        ("gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405", true),
        ("gopkg.in/check.v1", "v0.1.0", false),
        ("gopkg.in/dummy.v2-unstable", "v2.0.0", true), ("gopkg.in/dummy.v2-unstable", "v1.0.0", false),
    ])
    func `a path admits the versions of its major version`(path: String, version: String, admitted: Bool)
        throws
    {
        #expect(try ModulePath(path).admits(ModuleVersion(version)) == admitted)
    }

    @Test func `an error shows a hostile path without its control characters`() throws {
        let error = try #require(throws: ModulePathError.self) {
            try ModulePath("a\u{1b}[31m\"\n" + String(repeating: "x", count: 5000))
        }
        #expect(error.description.hasPrefix("\"a\\u{1b}[31m\\\"\\u{a}xxx"))
        #expect(error.description.utf8.count < 400)
    }
}
