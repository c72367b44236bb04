import CSodium
internal import Gossip

/// Why a handshake failed. What a stranger may learn of it is nothing.
package enum NoiseError: Error, Equatable, Sendable {
    /// Too short, or its seal does not fit: another key, another secret, or changed on the way.
    case unauthentic
    /// A key that stands for no usable point.
    case badKey
    case outOfOrder
}

/// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (The Noise Protocol Framework, revision 34), as a value: the initiator knows
/// the responder's key, and shows its own sealed; both know a secret of the cluster.
package struct NoiseHandshake: Sendable {
    package static let name = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b"
    package static let keyByteCount = 32
    package static let tagByteCount = 16
    /// Bytes of the first message besides its payload: ephemeral key, sealed static key, tag of the payload.
    package static let firstOverhead = 32 + 32 + 16 + 16
    package static let secondOverhead = 32 + 16

    private enum Role { case initiator, responder }

    private let role: Role
    private let own: CurveSecret
    private let psk: [UInt8]
    private var symmetric: SymmetricState
    private var ephemeral: CurveSecret?
    /// The other side's keys, once they are known.
    private var remoteStatic: [UInt8]?
    private var remoteEphemeral: [UInt8]?

    /// - Parameters:
    ///   - own: this node's X25519 secret.
    ///   - remote: the responder's X25519 public key.
    ///   - psk: 32 bytes.
    package static func initiator(
        own: CurveSecret, remote: [UInt8], psk: [UInt8], prologue: [UInt8]
    ) -> NoiseHandshake {
        var handshake = NoiseHandshake(role: .initiator, own: own, psk: psk, prologue: prologue)
        handshake.remoteStatic = remote
        handshake.symmetric.mixHash(remote)
        return handshake
    }

    package static func responder(own: CurveSecret, psk: [UInt8], prologue: [UInt8]) -> NoiseHandshake {
        var handshake = NoiseHandshake(role: .responder, own: own, psk: psk, prologue: prologue)
        handshake.symmetric.mixHash(own.publicKey)
        return handshake
    }

    private init(role: Role, own: CurveSecret, psk: [UInt8], prologue: [UInt8]) {
        (self.role, self.own, self.psk) = (role, own, psk)
        symmetric = SymmetricState(name: Self.name)
        symmetric.mixHash(prologue)
    }

    /// The initiator's X25519 key, proven once `readFirst` has returned.
    package var initiatorKey: [UInt8]? { role == .responder ? remoteStatic : nil }

    // MARK: -> e, es, s, ss

    package mutating func writeFirst(_ payload: [UInt8], ephemeral: CurveSecret) throws(NoiseError) -> [UInt8]
    {
        guard role == .initiator, let remote = remoteStatic, self.ephemeral == nil else { throw .outOfOrder }
        self.ephemeral = ephemeral
        var message = ephemeral.publicKey
        symmetric.mixHash(ephemeral.publicKey)
        symmetric.mixKey(ephemeral.publicKey)
        symmetric.mixKey(try ephemeral.shared(with: remote))
        message += symmetric.encryptAndHash(own.publicKey)
        symmetric.mixKey(try own.shared(with: remote))
        message += symmetric.encryptAndHash(payload)
        return message
    }

    package mutating func readFirst(_ message: [UInt8]) throws(NoiseError) -> [UInt8] {
        guard role == .responder, remoteEphemeral == nil else { throw .outOfOrder }
        guard message.count >= Self.firstOverhead else { throw .unauthentic }
        let theirs = Array(message[..<32])
        remoteEphemeral = theirs
        symmetric.mixHash(theirs)
        symmetric.mixKey(theirs)
        symmetric.mixKey(try own.shared(with: theirs))
        let key = try symmetric.decryptAndHash(Array(message[32..<80]))
        remoteStatic = key
        symmetric.mixKey(try own.shared(with: key))
        return try symmetric.decryptAndHash(Array(message[80...]))
    }

    // MARK: <- e, ee, se, psk

    package mutating func writeSecond(
        _ payload: [UInt8], ephemeral: CurveSecret
    ) throws(NoiseError) -> (message: [UInt8], send: SealingKey, receive: SealingKey) {
        guard role == .responder, let theirs = remoteEphemeral, let theirStatic = remoteStatic,
            self.ephemeral == nil
        else { throw .outOfOrder }
        self.ephemeral = ephemeral
        var message = ephemeral.publicKey
        symmetric.mixHash(ephemeral.publicKey)
        symmetric.mixKey(ephemeral.publicKey)
        symmetric.mixKey(try ephemeral.shared(with: theirs))
        symmetric.mixKey(try ephemeral.shared(with: theirStatic))
        symmetric.mixKeyAndHash(psk)
        message += symmetric.encryptAndHash(payload)
        let (first, second) = symmetric.split()
        return (message, second, first)
    }

    package mutating func readSecond(
        _ message: [UInt8]
    ) throws(NoiseError) -> (payload: [UInt8], send: SealingKey, receive: SealingKey) {
        guard role == .initiator, let ephemeral, remoteEphemeral == nil else { throw .outOfOrder }
        guard message.count >= Self.secondOverhead else { throw .unauthentic }
        let theirs = Array(message[..<32])
        remoteEphemeral = theirs
        symmetric.mixHash(theirs)
        symmetric.mixKey(theirs)
        symmetric.mixKey(try ephemeral.shared(with: theirs))
        symmetric.mixKey(try own.shared(with: theirs))
        symmetric.mixKeyAndHash(psk)
        let payload = try symmetric.decryptAndHash(Array(message[32...]))
        let (first, second) = symmetric.split()
        return (payload, first, second)
    }
}
