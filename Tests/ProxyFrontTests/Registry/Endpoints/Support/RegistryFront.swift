import Foundation
import ProxyFront

/// A registry node behind a real HTTP server on loopback.
struct RegistryFront: Sendable {
    let node: RegistryNode
    let port: Int

    struct Answer: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: [UInt8]

        var code: String? {
            struct Wire: Decodable {
                struct Entry: Decodable { let code: String }
                let errors: [Entry]
            }
            return (try? JSONDecoder().decode(Wire.self, from: Data(body)))?.errors.first?.code
        }
    }

    static func serving(_ node: RegistryNode, _ body: (RegistryFront) async throws -> Void) async throws {
        let router = Router([
            .init(.exact("/v2"), about: "registry", node.responder),
            .init(.prefix("/v2/"), about: "registry", node.responder),
        ])
        try await withServer(router, metrics: node.metrics) { port in
            try await body(RegistryFront(node: node, port: port))
        }
    }

    func ask(_ method: String, _ path: String, _ fields: [String] = []) async throws -> Answer {
        let client = try RawClient(port: port)
        let lines = ["\(method) \(path) HTTP/1.1", "Host: node", "Connection: close"] + fields + ["", ""]
        try await client.send(lines.joined(separator: "\r\n"))
        let (bytes, _) = try await client.readToEnd()
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw RawClient.Failure(description: "no whole head in \(bytes.count) bytes")
        }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            headers[line[..<colon].lowercased()] = String(line[colon...].dropFirst().drop { $0 == " " })
        }
        return Answer(
            status: Int(head[0].split(separator: " ")[1]) ?? 0, headers: headers,
            body: Array(bytes[end.upperBound...]))
    }
}
