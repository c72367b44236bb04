import NIOCore

/// What goes back to a call over a session.
enum Answer: Sendable {
    /// A whole reply.
    case reply([UInt8])
    /// The first half of a reply's frames, and never the rest.
    case half([UInt8])
    case silence
    /// A frame that nobody sealed.
    case rubbish
    case hangUp
}
