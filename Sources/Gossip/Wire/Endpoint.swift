import Content
import Glibc

/// Where a node is reached: a numeric IP address and the port that UDP and TCP share.
public struct Endpoint: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 4 bytes of IPv4 or 16 of IPv6, in network order.
    public let address: [UInt8]
    public let port: UInt16

    /// - Returns: nil unless there are 4 or 16 bytes and the port is not 0.
    public init?(address: [UInt8], port: UInt16) {
        guard address.count == 4 || address.count == 16, port != 0 else { return nil }
        self.address = address
        self.port = port
    }

    /// - Parameter text: `192.0.2.1:4891` or `[2001:db8::1]:4891`; nil for anything else, names included.
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        self.init(host: host, port: port)
    }

    /// - Parameter host: a numeric address without brackets.
    public init?(host: String, port: UInt16) {
        let family = host.contains(":") ? AF_INET6 : AF_INET
        var bytes = [UInt8](repeating: 0, count: family == AF_INET6 ? 16 : 4)
        guard inet_pton(family, host, &bytes) == 1 else { return nil }
        self.init(address: bytes, port: port)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        let count = Int(try reader.read(UInt8.self))
        guard count == 4 || count == 16 else { throw .malformed("an address of \(count) bytes") }
        let address = Array(try reader.readBytes(count))
        guard let endpoint = Endpoint(address: address, port: try reader.read()) else {
            throw .malformed("an address with port 0")
        }
        self = endpoint
    }

    package func write(to writer: inout WireWriter) {
        writer.write(UInt8(address.count))
        writer.write(address)
        writer.write(port)
    }

    /// The address alone, without brackets.
    public var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(address.count == 16 ? AF_INET6 : AF_INET, address, &text, socklen_t(text.count))
        return text.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    public var description: String { address.count == 16 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public static func < (left: Endpoint, right: Endpoint) -> Bool {
        left.address == right.address
            ? left.port < right.port : left.address.lexicographicallyPrecedes(right.address)
    }
}
