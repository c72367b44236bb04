import ChunkStore
import Content

/// Proves a module zip while it arrives: its h1 is worked out entry by entry, the checksum database asked
/// meanwhile.
final class ModuleZipProof: BodyProof {
    private let check: SumCheck
    private let resource: GoResource
    private let module: ModuleIdentity
    private let pending: SumCheck.Pending
    private let reading: ModuleZipReading

    init(_ check: SumCheck, _ resource: GoResource, _ module: ModuleIdentity) {
        self.check = check
        self.resource = resource
        self.module = module
        pending = check.begin(module)
        reading = ModuleZipReading(module)
    }

    func front(advanced bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try reading.front(advanced: bytes, at: offset)
    }

    func conclude(size: Int64, source: String, file: FileSlice?) async throws -> ProofVerdict {
        let report: ModuleZipReport
        do {
            report = try await reading.report(file)
        } catch let lack as ModuleZipReading.NeedsFile {
            throw DeliveryFailure.mismatch(
                "\(resource.name) from \(source) cannot be proven while the store has no space: \(lack.reason)"
            )
        } catch let refusal as ZipRefusal {
            throw unreadable(refusal, source: source)
        }
        let verification = try await check.judge(
            pending, resource, module, found: report.h1, origin: source)
        return ProofVerdict(verification, h1: report.h1.description, isHostile: report.isHostile)
    }

    private func unreadable(_ refusal: ZipRefusal, source: String) -> DeliveryFailure {
        check.metrics.mismatches.add()
        check.logger.error("\(resource.name) from \(source) is no module zip: \(refusal)")
        return .mismatch("bad gateway: \(resource.name) from \(source) is no module zip: \(refusal)")
    }
}
