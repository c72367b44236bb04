internal import Content
package import Gossip
internal import NIOCore

/// The two sides of a handshake over a byte stream, as a value: bytes in, bytes out, until the keys are there.
package struct HandshakeDriver: Sendable {
    package enum Step: Sendable {
        case needsMore
        /// To be sent before anything else.
        case send([UInt8])
        /// The responder has to ask whether the card's node is a member, and go on with `finish`.
        case admit(MemberCard)
        /// The initiator has the responder's answer; the card still has to be admitted.
        case welcomed(Welcome, FrameCodec)
        /// The responder told its name.
        case introduced(NodeID)
        case failed(String)
    }

    private static let introductionByteCount = 33
    private static let introducedByteCount = 49

    private enum State: Sendable {
        case idle
        case waitingForName(nonce: [UInt8])
        case waitingForSecond(NoiseHandshake, from: NodeID)
        case waitingForFirst
        case admitting(NoiseHandshake)
        case over
    }

    private let identity: ClusterCredentials
    private var state: State
    private var buffer: [UInt8] = []
    private var introductions = 0

    package static func responder(_ identity: ClusterCredentials) -> HandshakeDriver {
        HandshakeDriver(identity: identity, state: .waitingForFirst)
    }

    package static func initiator(_ identity: ClusterCredentials) -> HandshakeDriver {
        HandshakeDriver(identity: identity, state: .idle)
    }

    private init(identity: ClusterCredentials, state: State) {
        (self.identity, self.state) = (identity, state)
    }

    // MARK: the initiator

    /// Asks who is there: for seeds of which only the address is known.
    package mutating func askForName() -> [UInt8] {
        let nonce = Blake2b.random(16)
        state = .waitingForName(nonce: nonce)
        return [0] + nonce + identity.secret.keyedHash("edgenode who v1", [nonce], count: 16)
    }

    package mutating func begin(with responder: NodeID, card: MemberCard) throws(NoiseError) -> [UInt8] {
        guard let own = CurveSecret(identity.key), let remote = responder.curveKey else { throw .badKey }
        var noise = NoiseHandshake.initiator(
            own: own, remote: remote, psk: FirstMessage.psk(identity.secret),
            prologue: FirstMessage.prologue(identity.cluster))
        let first = try noise.writeFirst(card.encoded, ephemeral: try .ephemeral())
        state = .waitingForSecond(noise, from: responder)
        return FirstMessage.framed(first, to: responder, secret: identity.secret)
    }

    // MARK: both

    /// Bytes that came.
    package mutating func receive(_ bytes: some Sequence<UInt8>) -> Step {
        buffer += bytes
        guard buffer.count <= 2 * FirstMessage.noiseByteLimit else {
            return fail("more than a handshake has")
        }
        switch state {
        case .waitingForName(let nonce): return readName(nonce)
        case .waitingForSecond(let noise, let responder): return readSecond(noise, from: responder)
        case .waitingForFirst: return readFirst()
        case .idle, .admitting, .over: return buffer.isEmpty ? .needsMore : fail("it speaks before its turn")
        }
    }

    private mutating func fail(_ reason: String) -> Step {
        state = .over
        return .failed(reason)
    }

    private mutating func readName(_ nonce: [UInt8]) -> Step {
        guard buffer.count >= Self.introducedByteCount else { return .needsMore }
        let id = Array(buffer[1..<33])
        let mac = identity.secret.keyedHash("edgenode who answer v1", [nonce, id], count: 16)
        guard buffer[0] == 0, Array(buffer[33..<49]) == mac, let node = NodeID(bytes: id) else {
            return fail("it does not know the cluster's secret")
        }
        buffer.removeFirst(Self.introducedByteCount)
        state = .idle
        return .introduced(node)
    }

    private mutating func readSecond(_ handshake: NoiseHandshake, from responder: NodeID) -> Step {
        guard buffer.count >= 2 else { return .needsMore }
        let count = Int(buffer[0]) | Int(buffer[1]) << 8
        guard count <= FirstMessage.noiseByteLimit else { return fail("its answer is too long") }
        guard buffer.count >= 2 + count else { return .needsMore }
        var noise = handshake
        do {
            let (payload, send, receive) = try noise.readSecond(Array(buffer[2..<2 + count]))
            buffer.removeFirst(2 + count)
            state = .over
            let welcome = try Welcome(parsing: payload)
            // Its key is proven, its card is not: whoever shows another's would be taken for that one.
            if case .card(let card) = welcome, card.record.node != responder || !card.record.isSigned {
                return fail("it shows another node's record")
            }
            return .welcomed(welcome, FrameCodec(sending: send, receiving: receive))
        } catch {
            return fail("its answer is not authentic: another key, or another cluster secret")
        }
    }

    private mutating func readFirst() -> Step {
        guard let version = buffer.first else { return .needsMore }
        if version == 0 { return readQuestion() }
        guard version == FirstMessage.version else { return fail("version \(version) of the handshake") }
        guard buffer.count >= FirstMessage.headByteCount else { return .needsMore }
        let count = Int(buffer[17]) | Int(buffer[18]) << 8
        guard (NoiseHandshake.firstOverhead...FirstMessage.noiseByteLimit).contains(count) else {
            return fail("a first message of \(count) bytes")
        }
        guard buffer.count >= FirstMessage.headByteCount + count else { return .needsMore }
        let message = Array(buffer[FirstMessage.headByteCount..<FirstMessage.headByteCount + count])
        // One hash before any curve.
        guard
            FirstMessage.isGood(
                Array(buffer[1..<17]), of: message, to: identity.id, secret: identity.secret)
        else { return fail("it does not know the cluster's secret, or takes this node for another one") }
        buffer.removeFirst(FirstMessage.headByteCount + count)
        guard let own = CurveSecret(identity.key) else { return fail("this node's key is unusable") }
        var noise = NoiseHandshake.responder(
            own: own, psk: FirstMessage.psk(identity.secret),
            prologue: FirstMessage.prologue(identity.cluster))
        do {
            var payload = WireReader(try noise.readFirst(message))
            let card = try MemberCard(from: &payload)
            guard let key = card.record.node.curveKey, key == noise.initiatorKey, card.record.isSigned else {
                return fail("it shows another node's record")
            }
            state = .admitting(noise)
            return .admit(card)
        } catch {
            return fail("its first message is not authentic")
        }
    }

    /// Names itself to whoever knows the cluster's secret, a few times a connection.
    private mutating func readQuestion() -> Step {
        guard buffer.count >= Self.introductionByteCount else { return .needsMore }
        introductions += 1
        let nonce = Array(buffer[1..<17])
        let mac = identity.secret.keyedHash("edgenode who v1", [nonce], count: 16)
        guard introductions == 1, Array(buffer[17..<33]) == mac else {
            return fail("it does not know the cluster's secret")
        }
        buffer.removeFirst(Self.introductionByteCount)
        return .send(
            [0] + identity.id.bytes
                + identity.secret.keyedHash("edgenode who answer v1", [nonce, identity.id.bytes], count: 16))
    }

    /// The responder's last word.
    package mutating func finish(_ welcome: Welcome) throws(NoiseError) -> (bytes: [UInt8], codec: FrameCodec)
    {
        guard case .admitting(var noise) = state else { throw .outOfOrder }
        let (message, send, receive) = try noise.writeSecond(welcome.encoded, ephemeral: try .ephemeral())
        state = .over
        return (
            [UInt8(message.count & 255), UInt8(message.count >> 8)] + message,
            FrameCodec(sending: send, receiving: receive)
        )
    }
}
