import NIOCore
import Synchronization

/// Counts open connections, in all and by address, against the limits.
package final class ConnectionCounter: Sendable {
    package enum Verdict: Sendable, Equatable {
        case admitted
        /// Over a limit: to be told so.
        case turnedAway
        /// So far over it that telling would cost too much: to be dropped.
        case dropped
    }

    /// Connections beyond the limit that are at any time being told so.
    private static let courtesy = 256

    private struct Counts {
        var total = 0
        var perAddress: [Key: Int] = [:]
    }

    /// An IPv4 address, or the first 64 bits of an IPv6 address, which is what one household or host has.
    private struct Key: Hashable {
        var isV6: Bool
        var bits: UInt64
    }

    private let limits: FrontLimits
    private let counts = Mutex(Counts())

    package init(limits: FrontLimits) { self.limits = limits }

    /// Takes a connection in. Unless it is dropped, it is to be let go with `leave`.
    package func enter(_ address: SocketAddress?) -> Verdict {
        let key = key(address)
        return counts.withLock { counts in
            guard counts.total < limits.connections + Self.courtesy else { return .dropped }
            counts.total += 1
            var verdict = counts.total > limits.connections ? Verdict.turnedAway : .admitted
            if let key {
                counts.perAddress[key, default: 0] += 1
                if counts.perAddress[key, default: 0] > limits.connectionsPerAddress { verdict = .turnedAway }
            }
            return verdict
        }
    }

    package func leave(_ address: SocketAddress?) {
        let key = key(address)
        counts.withLock { counts in
            counts.total -= 1
            guard let key, let count = counts.perAddress[key] else { return }
            counts.perAddress[key] = count > 1 ? count - 1 : nil
        }
    }

    private func key(_ address: SocketAddress?) -> Key? {
        guard let address, limits.limitsLoopback || !address.isLoopback else { return nil }
        switch address {
        case .v4(let v4): return Key(isV6: false, bits: UInt64(v4.address.sin_addr.s_addr))
        case .v6(let v6):
            return withUnsafeBytes(of: v6.address.sin6_addr) { bytes in
                let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
                return isMapped
                    ? Key(isV6: false, bits: UInt64(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
                    : Key(isV6: true, bits: bytes.loadUnaligned(as: UInt64.self))
            }
        case .unixDomainSocket: return nil
        }
    }
}
