import ProxyFront
import Testing

@Suite struct UpstreamURLTests {
    @Test(arguments: [
        ("https://proxy.example.com", "https://proxy.example.com/", "/"),
        ("HTTPS://Proxy.Example.com:443/a/b", "https://proxy.example.com/a/b", "/a/b"),
        ("http://127.0.0.1:8080/x?y=1", "http://127.0.0.1:8080/x?y=1", "/x"),
        ("http://[::1]:3000", "http://[::1]:3000/", "/"),
        ("https://h?q", "https://h/?q", "/"),
        ("https://h/p#fragment", "https://h/p", "/p"),
    ])
    func aURLIsReadIntoItsParts(text: String, normal: String, path: String) throws {
        let url = try UpstreamURL(parsing: text)
        #expect(url.description == normal)
        #expect(url.path == path)
    }

    @Test(arguments: [
        "", "proxy.example.com", "ftp://h/", "https://", "https:///x", "https://user:secret@h/",
        "https://h:0/",
        "https://h:99999/", "https://h:+80/", "https://h x/", "https://h/\r\nX: y", "https://[::1",
        "https://[h]/",
        "https://h\\@evil/", "https://é/", "https://a_b:80:90/",
    ])
    func aTextThatIsNoUpstreamURLIsRefused(text: String) {
        #expect(throws: UpstreamURLError.self) { try UpstreamURL(parsing: text) }
    }

    @Test func aPasswordInAURLIsNeverShown() {
        do {
            _ = try UpstreamURL(parsing: "https://user:hunter2@h/")
            Issue.record("credentials in a URL must be refused")
        } catch {
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test(arguments: [
        ("https://other/x", "https://other/x"), ("//other/x", "https://other/x"),
        ("/x?y", "https://h:8443/x?y"),
        ("c", "https://h:8443/a/c"), ("?q", "https://h:8443/a/?q"),
    ])
    func aLocationIsResolvedAgainstTheURLThatGaveIt(location: String, target: String) throws {
        let url = try UpstreamURL(parsing: "https://h:8443/a/b")
        #expect(try url.resolving(location: location).description == target)
    }

    @Test(arguments: [
        "javascript:alert(1)", "file:///etc/passwd", "gopher://h/", "http://[/", "https://u:p@h/",
    ])
    func aLocationOfAnotherKindIsRefused(location: String) throws {
        let url = try UpstreamURL(parsing: "https://h/a/b")
        #expect(throws: UpstreamURLError.self) { try url.resolving(location: location) }
    }

    @Test(arguments: [
        ("https://h", "https://h/m/@v/list"), ("https://h/", "https://h/m/@v/list"),
        ("https://h/go/", "https://h/go/m/@v/list"), ("https://h/go", "https://h/go/m/@v/list"),
    ])
    func aResourceIsAppendedWithOneSlash(base: String, whole: String) throws {
        #expect(try UpstreamURL(parsing: base).appending("m/@v/list").description == whole)
    }
}

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.1", "0x7f000001", "2130706433",
        "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fc00::1",
        "fd12::1",
        "ff02::1", "2001:db8::1", "2002:7f00:1::", "64:ff9b::a00:1", "100::1",
    ])
    func anAddressOfASpecialPurposeIsNotPublic(text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(!address.isPublic)
    }

    @Test(arguments: [
        "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.169.0.1",
        "2606:4700::1111", "2a00:1450::1", "2002:808:808::", "64:ff9b::808:808", "::ffff:8.8.8.8",
    ])
    func anAddressOfTheInternetIsPublic(text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(address.isPublic)
    }

    @Test(arguments: ["", "localhost", "example.com", "1.2.3.4.5", "::g"])
    func aNameIsNoAddress(text: String) {
        #expect(NetworkAddress(text) == nil)
    }
}
