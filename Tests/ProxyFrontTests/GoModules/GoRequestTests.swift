import ProxyFront
import Testing

@Suite struct GoRequestTests {
    private static let databases = ["sum.golang.org", "localhost.localdev/sumdb", "localhost.localdev"]

    private func parse(_ target: String) throws -> GoRequest {
        try GoRequest(parsing: target, databases: Self.databases)
    }

    @Test func `every endpoint is told apart`() throws {
        let net = try ModulePath("golang.org/x/net")
        let toml = try ModulePath("github.com/BurntSushi/toml")
        let version = try ModuleVersion("v0.34.0")
        #expect(try parse("/golang.org/x/net/@v/list") == .list(net))
        #expect(try parse("/golang.org/x/net/@latest") == .latest(net))
        #expect(try parse("/golang.org/x/net/@v/v0.34.0.info") == .info(net, VersionQuery(version)))
        #expect(try parse("/golang.org/x/net/@v/master.info") == .info(net, VersionQuery("master")))
        #expect(try parse("/golang.org/x/net/@v/v1.info") == .info(net, VersionQuery("v1")))
        // No version of a path without /v2, but v2.0.0+incompatible may be what its repository makes of it.
        let tag = try VersionQuery("v2.0.0").asked(of: net)
        #expect(tag.version == nil)
        #expect(try parse("/golang.org/x/net/@v/v2.0.0.info") == .info(net, tag))
        #expect(try parse("/golang.org/x/net/@v/v0.34.0.mod") == .mod(net, version))
        #expect(try parse("/golang.org/x/net/@v/v0.34.0.zip") == .zip(net, version))
        #expect(try parse("/github.com/!burnt!sushi/toml/@v/list") == .list(toml))
        #expect(try parse("/github.com/%21burnt%21sushi/toml/@v/list") == .list(toml))
        #expect(
            try parse("/rsc.io/%21q/@v/v1.0.0-%21r%21c.mod")
                == .mod(ModulePath("rsc.io/Q"), ModuleVersion("v1.0.0-RC")))
        #expect(
            try parse("/golang.org/toolchain/@v/v0.0.1-go1.26.6.linux-amd64.zip")
                == .zip(.toolchain, ModuleVersion("v0.0.1-go1.26.6.linux-amd64")))
        #expect(
            try parse("/github.com/jtolds/gls/@v/v4.20.0+incompatible.mod")
                == .mod(ModulePath("github.com/jtolds/gls"), ModuleVersion("v4.20.0+incompatible")))
        #expect(
            try parse("/github.com/jtolds/gls/@v/v4.20.0%2Bincompatible.mod")
                == .mod(ModulePath("github.com/jtolds/gls"), ModuleVersion("v4.20.0+incompatible")))
    }

    @Test func `every checksum database request is told apart`() throws {
        func sumDB(_ path: String, _ name: String = "sum.golang.org") throws -> SumDBRequest? {
            guard case .sumDB(name, let request) = try parse("/sumdb/\(name)/\(path)") else { return nil }
            return request
        }
        #expect(try sumDB("supported") == .supported)
        #expect(try sumDB("latest") == .latest)
        #expect(try sumDB("latest", "localhost.localdev/sumdb") == .latest)
        #expect(try sumDB("latest", "localhost.localdev") == .latest)
        let toml = ModuleIdentity(
            path: try ModulePath("github.com/BurntSushi/toml"), version: try ModuleVersion("v1.0.0"))
        #expect(try sumDB("lookup/github.com/!burnt!sushi/toml@v1.0.0") == .lookup(toml))
        #expect(
            try sumDB("tile/8/0/x001/234.p/7")
                == .tile(#require(Tile(height: 8, level: 0, number: 1234, width: 7))))
        #expect(
            try sumDB("tile/8/data/000")
                == .tile(#require(Tile(height: 8, level: nil, number: 0, width: 256))))
    }

    @Test func `a proxy mounted below the root reads what follows its base`() throws {
        #expect(
            try GoRequest(parsing: "/go/golang.org/x/net/@latest", base: "/go/")
                == .latest(ModulePath("golang.org/x/net")))
        #expect(throws: GoRequestError.self) {
            try GoRequest(parsing: "/golang.org/x/net/@latest", base: "/go/")
        }
    }

    @Test(arguments: [
        ("/golang.org/x/net/@v/v0.34.0.txt", 404), ("/golang.org/x/net", 404), ("/", 404), ("", 404),
        ("/@v/list", 404), ("/golang.org/x/net/@v/", 404), ("/golang.org/x/net/@v/.info", 404),
        ("/golang.org/x/net/@v/info", 404), ("/golang.org/x/net/@v", 404),
        ("/golang.org/x/net/@latest/x", 404),
        ("/golang.org/x/net/@v/list/", 404), ("/golang.org/x/net@v0.34.0", 404),
        ("/golang.org/x/net@v/list", 404),
        ("/golang.org/x/Net/@v/list", 404), ("/golang.org/x/!Net/@v/list", 404),
        ("/golang.org/x/a!A/@v/list", 404),
        ("/net/@v/list", 404), ("/golang.org/../x/@v/list", 404), ("/golang.org/x%2f..%2fy/@v/list", 404),
        ("/golang.org/x/net/@v/master.mod", 404), ("/golang.org/x/net/@v/v1.zip", 404),
        ("/golang.org/x/net/@v/v1.0.0+meta.zip", 404), ("/golang.org/x/net/@v/a%2Fb.info", 404),
        ("/golang.org/x/net/@v/V1.0.0.info", 404), ("/golang.org/x/net/@v/v1.0.0.info%00", 404),
        ("/golang.org/x/net/@v/%", 400), ("/golang.org/x/net/@v/%4", 400), ("/golang.org/%zz/@v/list", 400),
        ("/golang.org/x/net/@v/../@v/list", 404), ("//golang.org/x/net/@v/list", 404),
        ("/sumdb/", 404), ("/sumdb/sum.golang.org", 404), ("/sumdb/sum.golang.org/", 404),
        ("/sumdb/evil.example/supported", 404), ("/sumdb/sum.golang.org/other", 404),
        ("/sumdb/sum.golang.org.evil.example/latest", 404), ("/sumdb/sum.golang.org/tile/8/0/1", 400),
        ("/sumdb/sum.golang.org/tile/", 400), ("/sumdb/sum.golang.org/lookup/", 400),
        ("/sumdb/sum.golang.org/lookup/golang.org/x/net", 400),
        ("/sumdb/sum.golang.org/lookup/golang.org/x/net@latest", 400),
        ("/sumdb/sum.golang.org/lookup/golang.org/x/net@v1", 400),
        ("/sumdb/sum.golang.org/lookup/net@v1.0.0", 400),
        ("/sumdb/sum.golang.org/lookup/golang.org/x/net@v1.0.0@v1.0.0", 400),
    ])
    func `what is no request is answered with the status of the reference`(target: String, status: Int) {
        #expect { try parse(target) } throws: { error in
            let error = error as? GoRequestError
            let text = error?.description ?? ""
            return error?.statusCode == status
                && text.hasPrefix(status == 404 ? "not found: " : "bad request: ")
        }
    }

    @Test(arguments: [
        "/github.com/%21burnt%21sushi/toml/@v/list", "/golang.org/x/net/@latest",
        "/golang.org/x/net/@v/a%20b%23c.info", "/rsc.io/quote/@v/v2.0.0+incompatible.zip",
        "/sumdb/sum.golang.org/lookup/github.com/%21burnt%21sushi/toml@v1.0.0",
        "/sumdb/localhost.localdev/sumdb/tile/8/1/000.p/3", "/sumdb/sum.golang.org/supported",
    ])
    func `the path sent upstream is the one the go command sends`(target: String) throws {
        #expect(try "/" + parse(target).requestPath == target)
    }

    @Test func `a request tells which module it is about`() throws {
        #expect(try parse("/golang.org/x/net/@v/list").module?.text == "golang.org/x/net")
        #expect(
            try parse("/sumdb/sum.golang.org/lookup/golang.org/x/net@v1.0.0").module?.text
                == "golang.org/x/net")
        #expect(try parse("/sumdb/sum.golang.org/latest").module == nil)
    }
}
