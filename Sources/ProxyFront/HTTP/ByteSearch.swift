#if canImport(Glibc)
    import Glibc
#endif

/// Searches and comparisons of bytes that the C library does many at a time.
enum ByteSearch {
    /// The place of the first `byte` at or after `start`.
    @inline(__always)
    static func first(_ byte: UInt8, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress else { return nil }
        guard let found = memchr(base + start, Int32(byte), bytes.count - start) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// Whether `bytes` are those of `text`, ASCII.
    @inline(__always)
    static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && starts(bytes, with: text)
    }

    /// Whether `bytes` begin with those of `text`, ASCII.
    @inline(__always)
    static func starts(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
        guard let base = bytes.baseAddress, bytes.count >= text.utf8CodeUnitCount else { return false }
        return memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Whether `bytes` begin with `prefix`.
    @inline(__always)
    static func starts(_ bytes: UnsafeBufferPointer<UInt8>, with prefix: [UInt8]) -> Bool {
        guard let base = bytes.baseAddress, bytes.count >= prefix.count else { return false }
        return prefix.withUnsafeBytes { memcmp(base, $0.baseAddress!, $0.count) == 0 }
    }
}
