package import Content

/// What a peer answers to a `PeerRequest`.
package enum PeerReply: Hashable, Sendable {
    case ok([UInt8])
    case notHeld
    /// It is held, and not for the asker.
    case denied(String)
    /// It has enough to do: not before so many milliseconds.
    case busy(UInt32)
    /// A request of a later version.
    case unsupported
    case failed(String)

    /// Bytes of the longest reply.
    package static let byteLimit = 2 << 20

    package var encoded: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .ok(let bytes):
            writer = WireWriter(capacity: bytes.count + 1)
            writer.write(UInt8(0))
            writer.write(bytes)
        case .notHeld: writer.write(UInt8(1))
        case .denied(let reason):
            writer.write(UInt8(2))
            writer.writeText(String(reason.prefix(400)))
        case .busy(let pause):
            writer.write(UInt8(3))
            writer.write(pause)
        case .unsupported: writer.write(UInt8(4))
        case .failed(let reason):
            writer.write(UInt8(5))
            writer.writeText(String(reason.prefix(400)))
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        switch try reader.read(UInt8.self) {
        case 0: self = .ok(Array(reader.rest))
        case 1: self = .notHeld
        case 2: self = .denied(try reader.readText(limit: 2000))
        case 3: self = .busy(try reader.read())
        case 4: self = .unsupported
        case 5: self = .failed(try reader.readText(limit: 2000))
        // What a later version may say is no answer to this one.
        default: self = .unsupported
        }
    }
}

/// Why a call to a peer brought no reply.
package enum PeerFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// No member of that key is known, or it is none any more.
    case unknown
    case unreachable(String)
    /// One of the two sides does not take the other for a member.
    case refused(String)
    case timedOut
    case closed(String)
    /// What came is no answer.
    case malformed(String)

    package var description: String {
        switch self {
        case .unknown: "it is no member that is known"
        case .unreachable(let reason): "it cannot be reached: \(reason)"
        case .refused(let reason): reason
        case .timedOut: "it did not answer in time"
        case .closed(let reason): "the connection ended: \(reason)"
        case .malformed(let what): "its answer makes no sense: \(what)"
        }
    }
}
