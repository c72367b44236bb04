import Content

/// What a body is fetched once for: everybody who asks for the same thing as the same somebody.
struct FlightKey: Hashable, Sendable {
    enum Subject: Hashable, Sendable {
        case name(ReferenceName)
        /// The content, whatever it is called: only for what everybody may have.
        case content(Digest)
    }

    let subject: Subject
    /// On whose behalf upstream is asked, where that makes a difference. A credential stands here for as long as
    /// the flight lasts, and nowhere else.
    let identity: UpstreamIdentity?

    init(_ subject: Subject, as identity: UpstreamIdentity? = nil) {
        self.subject = subject
        self.identity = identity
    }
}
