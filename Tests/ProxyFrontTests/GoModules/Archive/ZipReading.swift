import ProxyFront

/// The two ways to read a zip that is held in memory.
enum ZipReading {
    static let module = ModuleIdentity(
        path: try! ModulePath("example.com/m"), version: try! ModuleVersion("v1.0.0"))

    /// In pieces that end where `cuts` says.
    static func passing(
        _ bytes: [UInt8], cuts: some Sequence<Int> = [], as module: ModuleIdentity = module,
        limits: ZipLimits = .module
    ) -> ZipVerdict {
        var verifier = ZipVerifier(module: module, limits: limits)
        var start = 0
        for cut in Array(cuts) + [bytes.count] {
            verifier.receive(Array(bytes[start..<cut]))
            start = cut
        }
        return verifier.finish()
    }

    static func whole(
        _ bytes: [UInt8], as module: ModuleIdentity = module, limits: ZipLimits = .module
    ) throws -> ModuleZipReport {
        let read: ZipDirectory.Read = { offset, buffer in
            buffer.copyBytes(from: bytes[Int(offset)..<(Int(offset) + buffer.count)])
        }
        let directory = try ZipDirectory(byteCount: Int64(bytes.count), limits: limits, read: read)
        return try directory.verify(as: module, limits: limits, because: "the test asks for it", read: read)
    }

    /// One line that says what a verdict is.
    static func summary(_ verdict: ZipVerdict) -> String {
        switch verdict {
        case .read(let report):
            "read \(report.h1) \(report.goMod?.description ?? "-") \(report.entryCount) "
                + "\(report.unpackedByteCount) \(report.oddities) \(report.isHostile)"
        case .needsWholeFile(let reason): "needs whole file: \(reason)"
        case .refused(let refusal): "refused: \(refusal)"
        }
    }
}
