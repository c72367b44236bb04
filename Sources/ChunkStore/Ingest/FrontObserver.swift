/// Sees an ingest's bytes in order, as they are hashed: once per byte, from 0 on.
public protocol FrontObserver: AnyObject, Sendable {
    /// Called in the ingest's hashing lane, never twice at a time. `bytes` is valid during the call only.
    /// - Throws: to fail the ingest with that error.
    func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    /// Seeing bytes takes it no longer than hashing them, whatever they are: a small ingest is then hashed on the thread
    /// that writes to it.
    var isQuick: Bool { get }
}

extension FrontObserver {
    public var isQuick: Bool { false }
}
