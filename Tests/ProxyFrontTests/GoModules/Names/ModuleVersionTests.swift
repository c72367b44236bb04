import ProxyFront
import Testing

@Suite struct ModuleVersionTests {
    @Test(arguments: [
        "v0.0.0", "v1.2.3", "v10.20.30", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-0.3.7", "v1.0.0-x-y-z.-",
        "v2.0.0+incompatible", "v2.1.0-pre+incompatible", "v0.0.0-20190311183353-d8887717615a",
        "v0.0.1-go1.26.6.linux-amd64", "v1.5.3-PRE", "v4.20.0+incompatible", "v99999999999999999999.0.0",
    ])
    func `a canonical version is accepted`(text: String) throws {
        #expect(try ModuleVersion(text).text == text)
        #expect(try ModuleVersion(escaped: ModuleVersion(text).escaped).text == text)
    }

    @Test(arguments: [
        "", "v", "1.2.3", "v1", "v1.2", "v01.2.3", "v1.02.3", "v1.2.03", "v1.2.3-", "v1.2.3-01",
        "v1.2.3-a..b",
        "v1.2.3+meta", "v1.2.3+", "v1.2.3-a_b", "v1.2.3 ", "v1.2.3/x", "latest", "master", "v1.2.3.4",
        "V1.2.3",
        "v1.2.3-é", "v-1.2.3", "v1.2.3-a+incompatible.x", "v1.2.3\n",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: ModuleVersionError.self) { try ModuleVersion(text) }
    }

    @Test func `versions sort by precedence`() throws {
        let sorted = [
            "v0.0.0-20190311183353-d8887717615a", "v0.0.0", "v0.0.1-go1.9.linux-amd64", "v0.1.0", "v1.0.0-1",
            "v1.0.0-2", "v1.0.0-10", "v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta",
            "v1.0.0-beta.2", "v1.0.0-beta.11", "v1.0.0-rc.1", "v1.0.0",
            "v1.0.1-0.20200101000000-abcdefabcdef",
            "v1.0.1", "v1.2.0", "v1.10.0", "v2.0.0", "v2.0.0+incompatible", "v10.0.0",
        ].map { try! ModuleVersion($0) }
        #expect(sorted.reversed().sorted() == sorted)
        for (index, version) in sorted.enumerated() {
            for later in sorted[(index + 1)...] {
                #expect(version < later)
                #expect(!(later < version))
            }
        }
    }

    @Test(
        arguments: [
            ("v0.0.0-20190311183353-d8887717615a", "d8887717615a", nil),
            ("v1.2.4-0.20191109021931-daa7c04131f5", "daa7c04131f5", "v1.2.3"),
            ("v1.2.3-pre.0.20191109021931-daa7c04131f5", "daa7c04131f5", "v1.2.3-pre"),
            ("v2.0.1-0.20191109021931-daa7c04131f5+incompatible", "daa7c04131f5", "v2.0.0+incompatible"),
            ("v3.0.0-pre.1.0.20191109021931-daa7c04131f5", "daa7c04131f5", "v3.0.0-pre.1"),
            ("v1.0.10-0.20191109021931-abc", "abc", "v1.0.9"),
            ("v1.0.100-0.20191109021931-abc", "abc", "v1.0.99"),
            ("v0.5.0-alpha.0.20190619023908-3da23a9deb9e", "3da23a9deb9e", "v0.5.0-alpha"),
            ("v1.0.1-0.0.20191109021931-abc", "abc", "v1.0.1-0"),
        ] as [(String, String, String?)])
    func `a pseudo-version tells its commit and base`(text: String, revision: String, base: String?) throws {
        let version = try ModuleVersion(text)
        let pseudo = try #require(PseudoVersion(version))
        #expect(version.isPseudo && version.isPrerelease)
        #expect(pseudo.revision == revision)
        #expect(pseudo.timestamp.count == 14)
        #expect(try pseudo.base()?.text == base)
    }

    @Test(arguments: [
        "v1.2.3", "v1.2.3-pre", "v1.2.3-20191109021931-daa7c04131f5", "v1.2.3-0.2019110902193-daa7c04131f5",
        "v1.2.3-pre.20191109021931-daa7c04131f5", "v1.2.3-0.20191109021931-daa7.c04131f5",
        "v0.0.1-go1.26.6.linux-amd64", "v0.1.0-20191109021931-abc", "v1.0.0-0.201911090219311-abc",
    ])
    func `an ordinary version is no pseudo-version`(text: String) throws {
        #expect(try PseudoVersion(ModuleVersion(text)) == nil)
    }

    @Test(arguments: [
        "v1.0.0-0.20191109021931-abc", "v2.0.0-20191109021931-daa7c04131f5+incompatible",
    ])
    func `a pseudo-version that nothing can precede has no base`(text: String) throws {
        let pseudo = try #require(PseudoVersion(ModuleVersion(text)))
        #expect(throws: ModuleVersionError.self) { try pseudo.base() }
    }

    @Test(arguments: [
        "master", "v1", "v1.2", "daa7c04131f5", "release-branch.go1.26", "a b", "latest", "v1.0.0+meta",
    ])
    func `a query that is no canonical version may change its meaning`(text: String) throws {
        #expect(try VersionQuery(text).version == nil)
    }

    @Test func `a query that is a canonical version is one`() throws {
        #expect(try VersionQuery("v1.2.3").version == ModuleVersion("v1.2.3"))
    }

    @Test(arguments: [
        "", "a/b", "a!b", ".", "..", "x.", "a*b", "con", "a\u{7f}", "é", String(repeating: "a", count: 257),
    ])
    func `a query that cannot be one file name is refused`(text: String) {
        #expect(throws: ModuleVersionError.self) { try VersionQuery(text) }
    }
}
