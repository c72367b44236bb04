import ProxyFront
import Testing

@Suite("The router")
struct RouterTests {
    struct Named: Responder {
        let name: String
        func respond(to request: Request) -> Answer { .now(.text(.ok, name)) }
    }

    static let router = Router([
        .init(.exact("/"), about: "page", Named(name: "page")),
        .init(.prefix("/"), about: "modules", Named(name: "modules")),
        .init(.prefix("/sumdb/"), about: "database", Named(name: "database")),
        .init(.prefix("/sumdb/x/"), about: "x", Named(name: "x")),
        .init(.exact("/metrics"), about: "metrics", Named(name: "metrics")),
    ])

    @Test(
        "prefers the exact path, then the longest prefix",
        arguments: [
            ("/", "page"), ("/metrics", "metrics"), ("/metrics/", "modules"), ("/metricsx", "modules"),
            ("/golang.org/x/net/@v/list", "modules"), ("/sumdb/a", "database"), ("/sumdb/", "database"),
            ("/sumdb", "modules"), ("/sumdb/x/y", "x"), ("/sumdb/xy", "database"),
        ])
    func routes(_ path: String, _ name: String) throws {
        let responder = try #require(Self.router.responder(for: path) as? Named)
        #expect(responder.name == name)
    }

    @Test("names what is served when nothing is served there")
    func unknown() throws {
        let router = Router([
            .init(.prefix("/sumdb/"), about: "the checksum database", Named(name: "database"))
        ])
        guard case .now(let response) = router.respond(to: Request(target: "/x")),
            case .array(let body) = response.body
        else { throw TestFailure() }
        let text = String(decoding: body, as: UTF8.self)
        #expect(response.status == .notFound)
        #expect(response.headers["content-type"]?.hasPrefix("text/plain") == true)
        #expect(text.contains("/sumdb/") && text.contains("the checksum database"))
    }

    struct TestFailure: Error {}
}
