#if canImport(Glibc)
    import Glibc
#endif

/// An IP address, and whether the public internet can be meant by it. The front must not become a way
/// into the network that it stands in, so a redirect is followed to public addresses only.
public struct NetworkAddress: Hashable, Sendable {
    /// 4 bytes (IPv4) or 16 (IPv6), in network order.
    public let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 of them; nil otherwise. An IPv4 address written as IPv6
    ///   (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2) becomes the IPv4 address that it means.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        if bytes.count == 16, bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            self.bytes = Array(bytes[12...])
        } else {
            self.bytes = bytes
        }
    }

    /// Parses an address literal. The short IPv4 forms that `inet_aton` takes (`127.1`, `0x7f000001`) are
    /// parsed too: system resolvers accept them as addresses, so a check must see through them.
    public init?(_ text: String) {
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: six) { Array($0) })
            return
        }
        guard let first = text.utf8.first, (0x30...0x39).contains(first) else { return nil }
        var four = in_addr()
        guard inet_aton(text, &four) != 0 else { return nil }
        self.init(bytes: withUnsafeBytes(of: four) { Array($0) })
    }

    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// False for everything that the IANA special-purpose registries (RFC 6890) do not call globally
    /// reachable: loopback, private, link-local, shared, multicast, reserved, unspecified, and the IPv6
    /// forms that carry an IPv4 address inside (6to4, NAT64) when that address is not public.
    public var isPublic: Bool { bytes.count == 4 ? Self.isPublic(four: bytes) : Self.isPublic(six: bytes) }

    private static func isPublic(four address: [UInt8]) -> Bool {
        switch (address[0], address[1], address[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224...255, _, _): false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _): false
        case (192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113), (192, 88, 99): false
        case (198, 18...19, _): false
        default: true
        }
    }

    private static func isPublic(six address: [UInt8]) -> Bool {
        switch (address[0], address[1]) {
        case (0x20, 0x02): isPublic(four: Array(address[2..<6]))
        case (0x20, 0x01) where address[2] < 2 || address[2...3] == [0x0d, 0xb8]: false
        case (0x20, _), (0x21...0x3f, _): true
        case (0x00, 0x64) where address[2...3] == [0xff, 0x9b] && address[4..<12].allSatisfy({ $0 == 0 }):
            isPublic(four: Array(address[12...]))
        default: false
        }
    }
}
