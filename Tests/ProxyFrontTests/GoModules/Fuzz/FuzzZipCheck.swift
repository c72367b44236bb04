import ProxyFront

extension FuzzCheck {
    private static let module = ModuleIdentity(
        path: try! ModulePath("example.com/m"), version: try! ModuleVersion("v1.0.0"))

    private static let limits: ZipLimits = {
        var limits = ZipLimits()
        limits.unpackedByteCount = 1 << 20
        limits.entryCount = 1000
        return limits
    }()

    /// How a zip is cut into pieces changes nothing, and what is read in passing is what the whole file says.
    func checkZip(_ bytes: [UInt8]) throws(FuzzViolation) {
        let inOnePiece = passing(bytes, piece: max(1, bytes.count))
        for piece in [1, 61] where bytes.count < 300 * piece {
            let cut = passing(bytes, piece: piece)
            try FuzzViolation.check(
                "\(cut)" == "\(inOnePiece)", "in pieces of \(piece): \(cut), in one: \(inOnePiece)")
        }
        let whole = wholeFile(bytes)
        if case .read(let report) = inOnePiece {
            try FuzzViolation.check(
                whole?.h1 == report.h1 && whole?.isHostile == report.isHostile,
                "in passing \(report), as a whole \(String(describing: whole))")
        }
    }

    private func passing(_ bytes: [UInt8], piece: Int) -> ZipVerdict {
        var verifier = ZipVerifier(module: Self.module, limits: Self.limits)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            verifier.receive(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
        return verifier.finish()
    }

    private func wholeFile(_ bytes: [UInt8]) -> ModuleZipReport? {
        let read: ZipDirectory.Read = { offset, buffer in
            buffer.copyBytes(from: bytes[Int(offset)..<(Int(offset) + buffer.count)])
        }
        guard
            let directory = try? ZipDirectory(byteCount: Int64(bytes.count), limits: Self.limits, read: read)
        else { return nil }
        return try? directory.verify(as: Self.module, limits: Self.limits, because: "fuzzing", read: read)
    }
}
