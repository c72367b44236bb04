import Foundation
import Gossip
import PeerExchange

#if canImport(Glibc)
    import Glibc
#endif

/// A session that this side dials, with every byte in its own hands: what a later version may put into a frame.
/// Blocking; any wait ends after ten seconds.
final class RawSession {
    struct Fragment {
        var call: UInt32
        var flags: UInt8
        var bytes: [UInt8]
    }

    private let descriptor: Int32
    private var sending: SealingKey
    private var receiving: SealingKey

    /// Meets the member at `endpoint`; `more` stands behind the card.
    init(
        _ credentials: ClusterCredentials, card: MemberCard, with node: NodeID, at endpoint: Endpoint,
        more: [UInt8] = []
    ) throws {
        guard let own = CurveSecret(credentials.key), let remote = node.curveKey else {
            throw Trouble("a key cannot be used")
        }
        descriptor = try Self.dial(endpoint)
        var noise = NoiseHandshake.initiator(
            own: own, remote: remote, psk: FirstMessage.psk(credentials.secret),
            prologue: FirstMessage.prologue(credentials.cluster))
        let first = try noise.writeFirst(card.encoded + more, ephemeral: try .ephemeral())
        try Self.write(FirstMessage.framed(first, to: node, secret: credentials.secret), to: descriptor)
        let (payload, send, receive) = try noise.readSecond(try Self.readBlock(descriptor))
        (sending, receiving) = (send, receive)
        if case .refused(_, let reason) = try Welcome(parsing: payload) {
            throw Trouble("it refuses this node: \(reason)")
        }
    }

    deinit { close(descriptor) }

    /// Sends one frame as it is.
    func send(_ fragment: Fragment) throws {
        let head = (0..<4).map { UInt8(truncatingIfNeeded: fragment.call >> (8 * $0)) } + [fragment.flags]
        let sealed = sending.seal(head + fragment.bytes)
        try Self.write([UInt8(sealed.count & 255), UInt8(sealed.count >> 8)] + sealed, to: descriptor)
    }

    /// Makes a call and waits for its reply.
    /// - Parameter flags: besides those of a last fragment.
    func call(_ number: UInt32, _ request: [UInt8], flags: UInt8 = 0) throws -> [UInt8] {
        try send(Fragment(call: number, flags: flags | 1, bytes: request))
        var reply: [UInt8] = []
        while true {
            guard let plain = receiving.open(try Self.readBlock(descriptor)), plain.count >= 5 else {
                throw Trouble("a frame that is not authentic")
            }
            let call = (0..<4).reduce(UInt32(0)) { $0 | UInt32(plain[$1]) << (8 * UInt32($1)) }
            guard call == number, plain[4] & 2 != 0 else { throw Trouble("a frame of another call: \(call)") }
            reply += plain[5...]
            if plain[4] & 1 != 0 { return reply }
        }
    }

    // MARK: bytes

    private static func dial(_ endpoint: Endpoint) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Trouble("no socket") }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(
                descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(endpoint.port).bigEndian
        address.sin_addr.s_addr = inet_addr(endpoint.host)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw Trouble("no connection to \(endpoint)")
        }
        return descriptor
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Trouble("the other side takes nothing") }
            rest = rest.dropFirst(count)
        }
    }

    /// What stands behind a length of two bytes.
    private static func readBlock(_ descriptor: Int32) throws -> [UInt8] {
        let head = try read(2, from: descriptor)
        return try read(Int(head[0]) | Int(head[1]) << 8, from: descriptor)
    }

    private static func read(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0)
            }
            guard got > 0 else { throw Trouble("the other side ended the session, or is silent") }
            filled += got
        }
        return bytes
    }
}
