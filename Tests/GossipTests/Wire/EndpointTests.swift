import Content
import Gossip
import NIOCore
import Testing

@Suite("Endpoints")
struct EndpointTests {
    @Test(
        "what is written is what was read", arguments: ["192.0.2.1:4891", "[2001:db8::1]:1", "[::1]:65535"])
    func text(_ text: String) throws {
        let endpoint = try #require(Endpoint(parsing: text))
        #expect(endpoint.description == text)
        var writer = WireWriter()
        endpoint.write(to: &writer)
        var reader = WireReader(writer.bytes)
        #expect(try Endpoint(from: &reader) == endpoint)
        #expect(Endpoint(try #require(endpoint.socketAddress(isIPv6: text.hasPrefix("[")))) == endpoint)
    }

    @Test(
        "names, missing ports and port 0 are no endpoints",
        arguments: [
            "example.org:1", "192.0.2.1", "192.0.2.1:0", "2001:db8::1:1", "[192.0.2.1]:1", ":1", "1.2.3:1",
        ])
    func refused(_ text: String) { #expect(Endpoint(parsing: text) == nil) }

    @Test("IPv4 over a socket of IPv6 is IPv4")
    func mapped() throws {
        let endpoint = try #require(Endpoint(parsing: "192.0.2.1:4891"))
        let address = try #require(endpoint.socketAddress(isIPv6: true))
        #expect(address.protocol == .inet6)
        #expect(Endpoint(address) == endpoint)
        #expect(try #require(Endpoint(parsing: "[::1]:1")).socketAddress(isIPv6: false) == nil)
    }
}
