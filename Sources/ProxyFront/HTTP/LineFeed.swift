#if canImport(Glibc)
    import Glibc
#endif

/// Finds the ends of lines.
enum LineFeed {
    /// The place of the first LF at or after `start`.
    @inline(__always)
    static func find(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress else { return nil }
        guard let found = memchr(base + start, 0x0A, bytes.count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
