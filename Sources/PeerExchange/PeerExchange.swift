/// How nodes move content between each other: handshake, sealed frames, serving, fetch planning
/// (docs/wire-formats.md, "Streams").
package enum PeerExchange {
    /// The longest run of a blob that travels in one answer, in bytes: the unit of parallel transfer.
    package static let pieceLength: Int64 = 1 << 20
}
