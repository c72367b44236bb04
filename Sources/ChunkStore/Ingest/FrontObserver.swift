/// Sees an ingest's bytes in order, as they are hashed: once per byte, from 0 on.
public protocol FrontObserver: AnyObject, Sendable {
    /// Called on the ingest's hashing thread, never twice at a time. `bytes` is valid during the call only.
    /// - Throws: to fail the ingest with that error.
    func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws
}
