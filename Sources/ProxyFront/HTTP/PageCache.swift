import CLinux
import Content

#if canImport(Glibc)
    import Glibc
#endif

/// Looking at, and filling, the kernel's cache of a file's bytes.
package enum PageCache {
    /// How far apart the pages are that are looked at in a long range. The kernel reads files ahead in runs
    /// of at least this length, and asking for every page would cost a tenth of sending them.
    private static let stride = 64 << 10

    /// Whether `range` is in memory, so that reading it waits for no disk. Never blocks, and reads a byte at most. A
    /// failure says no.
    package static func holds(_ range: Range<Int64>, of file: OpenFile) -> Bool {
        guard !range.isEmpty else { return true }
        let page = Int64(sysconf(Int32(_SC_PAGESIZE)))
        let start = range.lowerBound / page * page
        let pages = (range.upperBound - start + page - 1) / page
        let cached = linux_cached_pages(
            file.descriptor, UInt64(start), UInt64(range.upperBound - start))
        if cached < 0 { return holdsMapped(start..<range.upperBound, of: file, page: page) }
        guard cached >= pages else { return false }
        // Pages that are still being read count too, and what is read comes in order: the last one tells.
        switch linux_reads_now(file.descriptor, range.upperBound - 1) {
        case 1: return true
        case 0: return false
        default: return holdsMapped(start..<range.upperBound, of: file, page: page)
        }
    }

    /// The same by mincore(2), which costs some fifty times as much: every page of a short range, one in each 64 KiB and
    /// the last of a long one. The range is mapped without being touched.
    package static func holdsMapped(_ range: Range<Int64>, of file: OpenFile, page: Int64) -> Bool {
        let (start, length) = (range.lowerBound, Int(range.upperBound - range.lowerBound))
        guard let address = mmap(nil, length, PROT_READ, MAP_SHARED, file.descriptor, off_t(start)),
            address != MAP_FAILED
        else { return false }
        defer { munmap(address, length) }
        let lastPage = (length - 1) / Int(page) * Int(page)
        if length <= stride { return allHeld(address, length, page: Int(page)) }
        for offset in Swift.stride(from: 0, to: lastPage, by: stride) {
            guard allHeld(address + offset, 1, page: Int(page)) else { return false }
        }
        return allHeld(address + lastPage, 1, page: Int(page))
    }

    private static func allHeld(_ address: UnsafeMutableRawPointer, _ length: Int, page: Int) -> Bool {
        let pages = (length + page - 1) / page
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: pages) { states in
            guard let base = states.baseAddress, mincore(address, length, base) == 0 else { return false }
            return states[..<pages].allSatisfy { $0 & 1 == 1 }
        }
    }

    /// Reads `range` through, so that it is in memory afterwards. Blocks: for a thread of one's own.
    ///
    /// - Throws: `FileReadError`; bytes before the failing place may be in memory.
    static func fill(_ range: Range<Int64>, of file: OpenFile) throws(FileReadError) {
        var offset = range.lowerBound
        let result = withUnsafeTemporaryAllocation(byteCount: 128 << 10, alignment: 16) { scratch in
            Result { () throws(FileReadError) in
                while offset < range.upperBound {
                    let want = Int(min(Int64(scratch.count), range.upperBound - offset))
                    let target = UnsafeMutableRawBufferPointer(rebasing: scratch[..<want])
                    offset += try Int64(read(into: target, at: offset, of: file))
                }
            }
        }
        try result.get()
    }

    /// One blocking read of at least one byte.
    static func read(
        into target: UnsafeMutableRawBufferPointer, at offset: Int64, of file: OpenFile
    ) throws(FileReadError) -> Int {
        while true {
            let count = pread(file.descriptor, target.baseAddress, target.count, off_t(offset))
            if count > 0 { return count }
            if count == 0 { throw FileReadError.ended(at: offset) }
            if errno != EINTR { throw FileReadError.failed(at: offset, errno: errno) }
        }
    }

    /// The file's size in bytes; nil when it cannot be had.
    static func size(of file: OpenFile) -> Int64? {
        var status = stat()
        return fstat(file.descriptor, &status) == 0 ? Int64(status.st_size) : nil
    }
}

/// Why bytes that a response promised could not be read.
enum FileReadError: Error, Equatable {
    /// The file is shorter than its slice says.
    case ended(at: Int64)
    case failed(at: Int64, errno: Int32)
}
