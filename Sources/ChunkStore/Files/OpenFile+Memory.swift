import CLinux
import Content

extension OpenFile {
    /// A file without a name whose bytes are in memory and count as the process's.
    /// - Returns: nil when the system gives none: no descriptor is left, or no memory.
    static func inMemory() -> OpenFile? {
        let descriptor = linux_memory_file("ingest")
        return descriptor >= 0 ? OpenFile(owning: descriptor) : nil
    }
}
