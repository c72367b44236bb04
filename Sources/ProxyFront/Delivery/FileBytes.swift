import Content
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// Reads parts of a file that may still be growing, on a thread that may wait.
package enum FileBytes {
    package struct Failure: Error, CustomStringConvertible {
        package let code: Int32
        package var description: String { "reading a partial body failed: errno \(code)" }
    }

    /// All bytes of `slice`.
    /// - Throws: `Failure` when they are not all there.
    package static func read(_ slice: FileSlice) async throws -> [UInt8] {
        try await onThread {
            try [UInt8](unsafeUninitializedCapacity: Int(slice.count)) { buffer, filled in
                try readNow(
                    slice.file, at: slice.range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
                filled = buffer.count
            }
        }
    }

    /// Runs work that may wait or is long, away from the event loops and the cooperative pool.
    package static func onThread<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await NIOThreadPool.singleton.runIfActive(work)
    }

    /// Fills `buffer`; blocks.
    package static func readNow(
        _ file: OpenFile, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws {
        guard let base = buffer.baseAddress else { return }
        var filled = 0
        while filled < buffer.count {
            let got = pread(file.descriptor, base + filled, buffer.count - filled, Int(offset) + filled)
            if got > 0 {
                filled += got
            } else if got == 0 || errno != EINTR {
                throw Failure(code: got == 0 ? EIO : errno)
            }
        }
    }
}
