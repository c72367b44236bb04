import Gossip
import PeerExchange
import Testing

/// The vectors were made with another implementation (the Python package noiseprotocol 0.3.1), from the keys below.
@Suite struct NoiseHandshakeTests {
    private static let first =
        "883186b800b41d5cf0429695da9b3cc4f328ebcd184a6e482fa578c103f06c7747b029888b9d545e5b3f2f47"
        + "151baf03c020abd65e1f9c387d77084760bae34d6445fde699d20f731039fe081a4fc5cbae6864e420b87eb7"
        + "64a41fcc99d9875ff3343d23bc9b6536d75340fd94"
    private static let second =
        "3a553d74792d727efa9b9a4cde3da1ad93f1a2d0c09cb639b1a3c0fda14cbe241b2491f6ea26144403301ebe"
        + "fc830391aa89e6dfc502622e3a9c18fe6757"
    private static let toResponder = "137873e0882e76cc20663067f4fca0e9bf426f8c417619afe7d73b6c0365beaf"
    private static let toInitiator = "e0dd317b26f2243e6f86c0f499a65cff446d0cd28e6d4e40b7b1d81947648b88"

    private func secret(_ start: Int) throws -> CurveSecret {
        try #require(CurveSecret(bytes: (0..<32).map { UInt8(truncatingIfNeeded: start + $0) }))
    }
    private let psk = (0..<32).map { UInt8($0) }
    private let prologue = Array("edgenode test prologue".utf8)

    private func pair() throws -> (NoiseHandshake, NoiseHandshake) {
        (
            .initiator(own: try secret(1), remote: try secret(65).publicKey, psk: psk, prologue: prologue),
            .responder(own: try secret(65), psk: psk, prologue: prologue)
        )
    }

    @Test("Both sides write and read what another implementation writes and reads") func vectors() throws {
        var (initiator, responder) = try pair()
        let first = try initiator.writeFirst(Array("first payload".utf8), ephemeral: try secret(129))
        #expect(hex(first) == Self.first)
        #expect(try responder.readFirst(first) == Array("first payload".utf8))
        #expect(responder.initiatorKey == (try secret(1)).publicKey)
        var (second, send, receive) = try responder.writeSecond(
            Array("second payload".utf8), ephemeral: try secret(193))
        #expect(hex(second) == Self.second)
        var (payload, sendBack, receiveBack) = try initiator.readSecond(second)
        #expect(payload == Array("second payload".utf8))
        let there = sendBack.seal(Array("to the responder".utf8))
        #expect(hex(there) == Self.toResponder)
        #expect(receive.open(there) == Array("to the responder".utf8))
        let back = send.seal(Array("to the initiator".utf8))
        #expect(hex(back) == Self.toInitiator)
        #expect(receiveBack.open(back) == Array("to the initiator".utf8))
        payload = []
        second = []
    }

    @Test("A message with any bit changed is not read") func bitFlips() throws {
        var (initiator, responder) = try pair()
        let first = try initiator.writeFirst([1, 2, 3], ephemeral: try secret(129))
        for index in first.indices {
            var (_, fresh) = try pair()
            var changed = first
            changed[index] ^= 1 << (index % 8)
            #expect(throws: NoiseError.self, "byte \(index)") { try fresh.readFirst(changed) }
        }
        _ = try responder.readFirst(first)
        let second = try responder.writeSecond([4, 5], ephemeral: try secret(193)).message
        for index in second.indices {
            var fresh = initiator
            var changed = second
            changed[index] ^= 1 << (index % 8)
            #expect(throws: NoiseError.self, "byte \(index)") { try fresh.readSecond(changed) }
        }
    }

    @Test("Another secret of the cluster, another prologue or another responder do not meet")
    func mismatches() throws {
        var (initiator, responder) = try pair()
        let first = try initiator.writeFirst([], ephemeral: try secret(129))
        var stranger = NoiseHandshake.responder(own: try secret(66), psk: psk, prologue: prologue)
        #expect(throws: NoiseError.unauthentic) { try stranger.readFirst(first) }
        var elsewhere = NoiseHandshake.responder(own: try secret(65), psk: psk, prologue: [1])
        #expect(throws: NoiseError.unauthentic) { try elsewhere.readFirst(first) }
        var otherSecret = NoiseHandshake.responder(
            own: try secret(65), psk: [UInt8](repeating: 9, count: 32), prologue: prologue)
        _ = try otherSecret.readFirst(first)
        let second = try otherSecret.writeSecond([], ephemeral: try secret(193)).message
        #expect(throws: NoiseError.unauthentic) { try initiator.readSecond(second) }
        _ = try responder.readFirst(first)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
