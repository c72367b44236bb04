import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// Looks host names up, on a thread that may wait.
package protocol HostResolver: Sendable {
    /// Every address of `host`, empty when it has none or the look-up failed.
    func addresses(of host: String) async -> [NetworkAddress]
}

/// The system's resolver.
struct SystemHostResolver: HostResolver {
    func addresses(of host: String) async -> [NetworkAddress] {
        if let literal = NetworkAddress(host) { return [literal] }
        let found = try? await NIOThreadPool.singleton.runIfActive { Self.lookUp(host) }
        return found ?? []
    }

    private static func lookUp(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [NetworkAddress] = []
        var entry = list
        while let current = entry?.pointee {
            entry = current.ai_next
            guard let address = current.ai_addr else { continue }
            let bytes: [UInt8]
            switch current.ai_family {
            case AF_INET:
                bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
                    withUnsafeBytes(of: pointer.pointee.sin_addr) { Array($0) }
                }
            case AF_INET6:
                bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
                    withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
                }
            default: continue
            }
            if let parsed = NetworkAddress(bytes: bytes) { addresses.append(parsed) }
        }
        return addresses
    }
}
