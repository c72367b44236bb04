/// How nodes move content between each other: handshake, sealed frames, serving, fetch planning
/// (docs/wire-formats.md, "Streams").
package enum PeerExchange {
    /// The longest run of a blob that travels in one answer, in bytes: the unit of parallel transfer.
    package static let pieceLength: Int64 = 1 << 20
    /// No body is longer; a peer that says so lies, and sums over what it says would overflow.
    package static let sizeLimit: Int64 = 1 << 50
}
