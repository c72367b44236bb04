import ChunkStore
import Content
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Proves a module zip while it arrives: its h1 is worked out entry by entry, the checksum database asked
/// meanwhile.
final class ModuleZipProof: BodyProof {
    private let check: SumCheck
    private let resource: GoResource
    private let module: ModuleIdentity
    private let pending: SumCheck.Pending
    private let verifier: Mutex<ZipVerifier>

    init(_ check: SumCheck, _ resource: GoResource, _ module: ModuleIdentity) {
        self.check = check
        self.resource = resource
        self.module = module
        pending = check.begin(module)
        verifier = Mutex(ZipVerifier(module: module))
    }

    func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        verifier.withLock { $0.receive(bytes) }
    }

    func conclude(size: Int64, source: String, file: FileSlice?) async throws -> ProofVerdict {
        let report: ModuleZipReport
        switch verifier.withLock({ $0.finish() }) {
        case .read(let found): report = found
        case .needsWholeFile(let reason):
            guard let file else {
                throw DeliveryFailure.mismatch(
                    "\(resource.name) from \(source) cannot be proven while the store has no space: \(reason)"
                )
            }
            report = try await readWhole(file, because: reason, source: source)
        case .refused(let refusal): throw unreadable(refusal, source: source)
        }
        let verification = try await check.judge(
            pending, resource, module, found: report.h1, origin: source)
        return ProofVerdict(verification, h1: report.h1.description, isHostile: report.isHostile)
    }

    private func readWhole(
        _ file: FileSlice, because reason: String, source: String
    ) async throws -> ModuleZipReport {
        let module = module
        do {
            return try await FileBytes.onThread {
                let read: ZipDirectory.Read = { offset, buffer in
                    try FileBytes.readNow(file.file, at: file.range.lowerBound + offset, into: buffer)
                }
                let directory = try ZipDirectory(byteCount: file.count, read: read)
                return try directory.verify(as: module, because: reason, read: read)
            }
        } catch let refusal as ZipRefusal {
            throw unreadable(refusal, source: source)
        }
    }

    private func unreadable(_ refusal: ZipRefusal, source: String) -> DeliveryFailure {
        check.metrics.mismatches.add()
        check.logger.error("\(resource.name) from \(source) is no module zip: \(refusal)")
        return .mismatch("bad gateway: \(resource.name) from \(source) is no module zip: \(refusal)")
    }
}
