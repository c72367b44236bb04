import Content
import Gossip
import NIOCore
import PeerExchange
import Testing

/// Two members' handshakes as values, and everything that may happen to them on the way.
@Suite("Handshakes over a stream") struct HandshakeDriverTests {
    private let root: TestRoot
    private let one: ClusterCredentials
    private let two: ClusterCredentials
    private let cardOne: MemberCard
    private let cardTwo: MemberCard

    init() throws {
        root = try TestRoot()
        (one, two) = (try root.credentials(), try root.credentials())
        (cardOne, cardTwo) = (try Self.card(one), try Self.card(two))
    }

    private static func card(_ credentials: ClusterCredentials) throws -> MemberCard {
        let endpoint = try #require(Endpoint(parsing: "127.0.0.1:4891"))
        return MemberCard(
            record: MemberRecord(
                cluster: credentials.cluster, incarnation: Incarnation(boot: 1), isLeaving: false,
                protocols: 1...1, endpoints: [endpoint], inventoryEpoch: 1, software: "test",
                key: credentials.key),
            certificate: credentials.certificate)
    }

    /// The first message of one member to the other.
    private func first() throws -> (driver: HandshakeDriver, bytes: [UInt8]) {
        var driver = HandshakeDriver.initiator(one)
        let bytes = try driver.begin(with: two.id, card: cardOne)
        return (driver, bytes)
    }

    /// The other one, when it has read that.
    private func admitting(_ bytes: [UInt8]) throws -> HandshakeDriver {
        var driver = HandshakeDriver.responder(two)
        guard case .admit(let card) = driver.receive(bytes) else { throw NoiseError.unauthentic }
        #expect(card == cardOne)
        return driver
    }

    private func reason(_ step: HandshakeDriver.Step) -> String? {
        if case .failed(let reason) = step { reason } else { nil }
    }

    private func isWaiting(_ step: HandshakeDriver.Step) -> Bool {
        if case .needsMore = step { true } else { false }
    }

    /// Every way in which one bit of a message can be another.
    private func flips(_ bytes: [UInt8]) -> [(bit: Int, bytes: [UInt8])] {
        (0..<bytes.count * 8).map { bit in
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            return (bit, changed)
        }
    }

    // MARK: two who meet

    @Test("two members meet, by a name that was asked for, however the bytes are cut")
    func meeting() throws {
        for cut in [1, 7, 100_000] {
            func give(_ bytes: [UInt8], to driver: inout HandshakeDriver) -> HandshakeDriver.Step {
                var step = HandshakeDriver.Step.needsMore
                for start in stride(from: 0, to: bytes.count, by: cut) {
                    #expect(isWaiting(step))
                    step = driver.receive(bytes[start..<min(bytes.count, start + cut)])
                }
                return step
            }
            var (dialler, listener) = (HandshakeDriver.initiator(one), HandshakeDriver.responder(two))
            guard case .send(let name) = give(dialler.askForName(), to: &listener),
                case .introduced(let node) = give(name, to: &dialler)
            else { throw NoiseError.unauthentic }
            #expect(node == two.id)
            let first = try dialler.begin(with: node, card: cardOne)
            guard case .admit(let card) = give(first, to: &listener) else { throw NoiseError.unauthentic }
            #expect(card == cardOne)
            let finished = try listener.finish(.card(cardTwo))
            guard case .welcomed(let welcome, let codec) = give(finished.bytes, to: &dialler) else {
                throw NoiseError.unauthentic
            }
            var (calling, answering) = (codec, finished.codec)
            #expect(welcome == .card(cardTwo))
            let allocator = ByteBufferAllocator()
            var wire = ByteBuffer()
            try calling.write(
                ByteBuffer(string: "a call"), call: 3, isReply: false, to: &wire, allocator: allocator)
            let fragment = try answering.read(&wire, allocator: allocator)
            #expect(fragment?.bytes == ByteBuffer(string: "a call") && fragment?.call == 3)
        }
    }

    @Test("a refusal arrives with its reason")
    func refusal() throws {
        let first = try first()
        var (dialler, listener) = (first.driver, try admitting(first.bytes))
        let second = try listener.finish(.refused(code: 4, "it is revoked")).bytes
        guard case .welcomed(let welcome, _) = dialler.receive(second) else { throw NoiseError.unauthentic }
        #expect(welcome == .refused(code: 4, "it is revoked"))
    }

    // MARK: bits

    @Test("a question for the name with any bit changed is not answered")
    func questionBits() {
        var asker = HandshakeDriver.initiator(one)
        let question = asker.askForName()
        for (bit, changed) in flips(question) {
            var listener = HandshakeDriver.responder(two)
            let step = listener.receive(changed)
            if bit >= 8 {
                #expect(reason(step)?.contains("secret") == true, "bit \(bit)")
            } else {
                #expect(reason(step) != nil || isWaiting(step), "bit \(bit)")
            }
        }
    }

    @Test("a name with any bit changed is not believed")
    func nameBits() throws {
        var asker = HandshakeDriver.initiator(one)
        var listener = HandshakeDriver.responder(two)
        guard case .send(let name) = listener.receive(asker.askForName()) else {
            throw NoiseError.unauthentic
        }
        for (bit, changed) in flips(name) {
            var fresh = asker
            #expect(reason(fresh.receive(changed))?.contains("secret") == true, "bit \(bit)")
        }
    }

    @Test("a first message with any bit changed lets nobody in, and costs a hash only")
    func firstBits() throws {
        let bytes = try first().bytes
        for (bit, changed) in flips(bytes) {
            var listener = HandshakeDriver.responder(two)
            let step = listener.receive(changed)
            switch bit / 8 {
            case 0:
                // Version 0 is a question for the name.
                let expected = bit == 0 ? "secret" : "version"
                #expect(reason(step)?.contains(expected) == true, "bit \(bit)")
            case 17, 18: #expect(reason(step) != nil || isWaiting(step), "bit \(bit)")
            default: #expect(reason(step)?.contains("secret") == true, "bit \(bit)")
            }
        }
    }

    @Test("nor does one that is changed by somebody who knows the secret", arguments: [0, 1, 2, 3])
    func innerBits(part: Int) throws {
        let noise = Array(try first().bytes[FirstMessage.headByteCount...])
        for (bit, changed) in flips(noise) where bit % 4 == part {
            var listener = HandshakeDriver.responder(two)
            let step = listener.receive(FirstMessage.framed(changed, to: two.id, secret: two.secret))
            #expect(reason(step)?.contains("not authentic") == true, "bit \(bit)")
        }
    }

    @Test("an answer with any bit changed is no welcome", arguments: [0, 1, 2, 3])
    func secondBits(part: Int) throws {
        let (dialler, bytes) = try first()
        var listener = try admitting(bytes)
        let second = try listener.finish(.card(cardTwo)).bytes
        for (bit, changed) in flips(second) where bit % 4 == part {
            var fresh = dialler
            let step = fresh.receive(changed)
            if bit < 16 {
                // Another length: it is too long, too short, or more is waited for.
                #expect(reason(step) != nil || isWaiting(step), "bit \(bit)")
            } else {
                #expect(reason(step)?.contains("not authentic") == true, "bit \(bit)")
            }
        }
    }

    // MARK: liars

    @Test("a member that shows another one's card is not taken for that one")
    func anothersCard() throws {
        // It answers under its own key, with the card of a third.
        let third = try Self.card(try root.credentials())
        let first = try first()
        var (dialler, listener) = (first.driver, try admitting(first.bytes))
        let step = dialler.receive(try listener.finish(.card(third)).bytes)
        #expect(reason(step)?.contains("another node's record") == true)
        // It dials under its own key, with the card of a third.
        var liar = HandshakeDriver.initiator(one)
        var victim = HandshakeDriver.responder(two)
        let shown = victim.receive(try liar.begin(with: two.id, card: third))
        #expect(reason(shown)?.contains("another node's record") == true)
    }

    @Test("a record that its node has not signed is shown in vain")
    func unsigned() throws {
        func spoiled(_ card: MemberCard) throws -> MemberCard {
            var bytes = card.record.encoded
            bytes[bytes.count - 1] ^= 1
            var reader = WireReader(bytes)
            return MemberCard(record: try MemberRecord(from: &reader), certificate: card.certificate)
        }
        var liar = HandshakeDriver.initiator(one)
        var victim = HandshakeDriver.responder(two)
        #expect(reason(victim.receive(try liar.begin(with: two.id, card: spoiled(cardOne)))) != nil)
        let first = try first()
        var (dialler, listener) = (first.driver, try admitting(first.bytes))
        #expect(reason(dialler.receive(try listener.finish(.card(spoiled(cardTwo))).bytes)) != nil)
    }

    @Test("a message for another member, or of another cluster, is refused")
    func elsewhere() throws {
        let bytes = try first().bytes
        for other in [try root.credentials(), try TestRoot().credentials()] {
            var listener = HandshakeDriver.responder(other)
            #expect(reason(listener.receive(bytes))?.contains("secret") == true)
        }
        // The same secret under another root.
        var cousin = HandshakeDriver.initiator(try TestRoot(secret: root.secret).credentials())
        var listener = HandshakeDriver.responder(two)
        let step = listener.receive(try cousin.begin(with: two.id, card: cardOne))
        #expect(reason(step)?.contains("not authentic") == true)
    }

    @Test("who speaks before its turn, twice, or without end is not listened to")
    func turns() throws {
        let bytes = try first().bytes
        var listener = try admitting(bytes)
        #expect(reason(listener.receive([1]))?.contains("turn") == true)
        #expect(throws: NoiseError.outOfOrder) { try listener.finish(.card(cardTwo)) }
        var idle = HandshakeDriver.initiator(one)
        #expect(isWaiting(idle.receive([])))
        #expect(reason(idle.receive([0])) != nil)
        var curious = HandshakeDriver.initiator(one)
        var asked = HandshakeDriver.responder(two)
        guard case .send = asked.receive(curious.askForName()) else { throw NoiseError.unauthentic }
        #expect(reason(asked.receive(curious.askForName())) != nil)
        var patient = HandshakeDriver.responder(two)
        #expect(reason(patient.receive([UInt8](repeating: 1, count: 100_000))) != nil)
        var early = HandshakeDriver.responder(two)
        #expect(throws: NoiseError.outOfOrder) { try early.finish(.card(cardTwo)) }
    }
}
