/// Answers requests under a part of the path space.
public protocol Responder: Sendable {
    /// Called on the event loop: must not block and should be cheap. What has to wait goes into `.later`.
    func respond(to request: Request) -> Answer
}

/// An answer at hand, or the work that makes it.
public enum Answer: Sendable {
    /// The whole way, from request to socket, stays on the event loop.
    case now(Response)
    /// Runs as a task, which is cancelled when the client goes away.
    case later(@Sendable () async -> Response)
}
