import ChunkStore
import Content
import Synchronization

/// Reads a module zip as it comes in: entry by entry while it passes by, from the whole file where that does not
/// decide it.
package final class ModuleZipReading: FrontObserver {
    private let module: ModuleIdentity
    private let verifier: Mutex<ZipVerifier>

    package init(_ module: ModuleIdentity) {
        self.module = module
        verifier = Mutex(ZipVerifier(module: module))
    }

    package func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        verifier.withLock { $0.receive(bytes) }
    }

    /// What was found, once every byte has passed.
    /// - Parameter file: the whole zip; nil when it could not be stored.
    /// - Throws: `ZipRefusal`; `NeedsFile` when there is no file and one is needed; what reading the file throws.
    package func report(_ file: FileSlice?) async throws -> ModuleZipReport {
        switch verifier.withLock({ $0.finish() }) {
        case .read(let found): return found
        case .refused(let refusal): throw refusal
        case .needsWholeFile(let reason):
            guard let file else { throw NeedsFile(reason: reason) }
            return try await readWhole(file, because: reason)
        }
    }

    /// The zip cannot be read without its file.
    struct NeedsFile: Error {
        let reason: String
    }

    private func readWhole(_ file: FileSlice, because reason: String) async throws -> ModuleZipReport {
        let module = module
        return try await FileBytes.onThread {
            let read: ZipDirectory.Read = { offset, buffer in
                try FileBytes.readNow(file.file, at: file.range.lowerBound + offset, into: buffer)
            }
            let directory = try ZipDirectory(byteCount: file.count, read: read)
            return try directory.verify(as: module, because: reason, read: read)
        }
    }
}
