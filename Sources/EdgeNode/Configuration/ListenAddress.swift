/// A host and a TCP port to listen on: `127.0.0.1:4890`, `[::1]:4890`, `0.0.0.0:80`, `localhost:0`.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or a numeric address, an IPv6 one without its brackets.
    package let host: String
    /// 0 = any free port.
    package let port: Int

    /// Where a node listens that was told nothing: this machine only.
    package static let standard = ListenAddress(trusted: "127.0.0.1", port: 4890)

    /// - Throws: `QuantityError` with the remedy, when `text` is not `host:port`.
    package init(parsing text: String) throws(QuantityError) {
        let remedy = "write host:port, such as \"127.0.0.1:4890\" or \"[::]:4890\""
        guard let colon = text.lastIndex(of: ":") else {
            throw QuantityError(description: "\"\(text)\" has no port; \(remedy)")
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65_535
        else {
            throw QuantityError(description: "\"\(text)\" has no port from 0 to 65535; \(remedy)")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw QuantityError(description: "\"\(text)\": an IPv6 address stands in brackets; \(remedy)")
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
        else {
            throw QuantityError(description: "\"\(text)\" has no host; \(remedy)")
        }
        self.init(trusted: String(host), port: port)
    }

    package init(trusted host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can connect. A name other than `localhost` counts as reachable from elsewhere.
    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
