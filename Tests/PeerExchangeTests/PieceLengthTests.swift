import PeerExchange
import Testing

@Suite struct PieceLengthTests {
    @Test("A piece is a MiB") func length() { #expect(PeerExchange.pieceLength == 1_048_576) }
}
