import ProxyFront
import Testing

@Suite struct ModulePatternTests {
    @Test(arguments: [
        ("github.com/acme", "github.com/acme", true), ("github.com/acme", "github.com/acme/tool/v2", true),
        ("github.com/acme", "github.com/acmetool", false), ("github.com/acme/", "github.com/acme/tool", true),
        ("github.com/acme/tool", "github.com/acme", false), ("*.corp.example", "git.corp.example/x", true),
        ("*.corp.example", "corp.example/x", false), ("*.corp.example", "a.b.corp.example/x", true),
        ("*", "github.com/acme", true), ("*/acme", "github.com/acme/x", true),
        ("github.com/a*e", "github.com/ae", true),
        ("github.com/a*m*e", "github.com/acmmme", true), ("github.com/a*m*e", "github.com/acxe", false),
        ("github.com/?cme", "github.com/acme", true), ("github.com/?cme", "github.com/cme", false),
        ("github.com/[a-c]cme", "github.com/bcme/x", true),
        ("github.com/[^a-c]cme", "github.com/bcme", false),
        ("github.com/[^a-c]cme", "github.com/zcme", true), ("github.com/[ab-d]*", "github.com/dx", true),
        ("github.com/a\\*", "github.com/ab", false), ("github.com/*/tool", "github.com/a/b/tool", false),
        ("GITHUB.com/acme", "github.com/acme", false), ("github.com/A*", "github.com/Acme/x", true),
        ("re:github\\.com/acme(/.*)?", "github.com/acme/x", true),
        ("re:github\\.com/acme(/.*)?", "evil.example/github.com/acme", false),
        ("re:github\\.com/acme", "github.com/acme/x", false), ("re:.*", "a.b", true),
    ])
    func `a pattern matches as documented`(pattern: String, path: String, matches: Bool) throws {
        #expect(try ModulePattern(pattern).matches(ModulePath(path)) == matches)
    }

    @Test(arguments: [
        "", "/", "a[", "a[]", "a[b", "a[b-]", "a[-b]", "a[z-a]", "a\\", "a b", "é.com", "a[/]", "a\\/b",
        "re:", "re:(", "re:[",
        "re:" + String(repeating: "a", count: 513),
    ])
    func `a pattern that cannot be used is an error that names it`(text: String) {
        #expect { try ModulePattern(text) } throws: { error in
            guard let error = error as? ModulePatternError else { return false }
            return error.pattern == text && !error.reason.isEmpty
                && error.description.hasPrefix("\"\(text.prefix(100).replacing("\\", with: "\\\\"))")
        }
    }

    @Test func `a comma-separated list leaves out what is malformed, as the go command does`() throws {
        let patterns = ModulePatterns(commaSeparated: ",github.com/acme,a[,,*.corp.example,")
        #expect(patterns.patterns.map(\.text) == ["github.com/acme", "*.corp.example"])
        #expect(try patterns.firstMatch(ModulePath("x.corp.example/y"))?.text == "*.corp.example")
        #expect(try !patterns.matches(ModulePath("golang.org/x/net")))
    }

    @Test func `stars do not make matching slow`() throws {
        let pattern = try ModulePattern("a.b/" + String(repeating: "*a", count: 200) + "b")
        #expect(try !pattern.matches(ModulePath("a.b/" + String(repeating: "a", count: 600))))
    }

    @Test func `exclusion wins, and an include list admits nothing else`() throws {
        let access = try AccessPatterns(
            include: ["github.com/acme", "golang.org/x"], exclude: ["github.com/acme/bad*"])
        #expect(try access.verdict(on: ModulePath("github.com/acme/good")) == .allowed)
        #expect(try access.verdict(on: ModulePath("golang.org/x/net")) == .allowed)
        guard case .denied(let excluded) = try access.verdict(on: ModulePath("github.com/acme/badthing")),
            case .denied(let unlisted) = try access.verdict(on: ModulePath("rsc.io/quote"))
        else {
            Issue.record("both must be denied")
            return
        }
        #expect(
            excluded.contains("github.com/acme/badthing") && excluded.contains("\"github.com/acme/bad*\""))
        #expect(unlisted.contains("rsc.io/quote"))
        #expect(try AccessPatterns().verdict(on: ModulePath("rsc.io/quote")) == .allowed)
    }
}
