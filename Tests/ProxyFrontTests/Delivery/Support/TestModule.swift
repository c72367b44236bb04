import ProxyFront
import Synchronization

/// A module version with a real zip.
struct TestModule: Sendable {
    let path: String
    let version: String
    let zip: [UInt8]
    let h1: String
    let mod: [UInt8]

    /// - Parameters:
    ///   - filler: bytes of a file that does not compress, so that the zip has about this size.
    ///   - stored: entries are not compressed: other bytes of the zip, the same h1.
    init(
        _ path: String = "example.com/toy", _ version: String = "v1.0.0", filler: Int = 100_000,
        stored: Bool = false
    ) {
        self.path = path
        self.version = version
        mod = Array("module \(path)\n".utf8)
        let form: TestZip.Form = stored ? .stored : .deflatedWithDescriptor(signed: true)
        let archive = TestZip([
            TestZip.Entry("\(path)@\(version)/go.mod", mod, form),
            TestZip.Entry("\(path)@\(version)/toy.go", "package toy\n", form),
            TestZip.Entry("\(path)@\(version)/noise.bin", Self.noise(filler), .stored),
        ])
        zip = archive.build().bytes
        h1 = archive.h1
    }

    static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }

    var zipPath: String { "/\(path)/@v/\(version).zip" }
    var zipName: String { "go/\(path)@\(version).zip" }
    var modPath: String { "/\(path)/@v/\(version).mod" }
    var infoPath: String { "/\(path)/@v/\(version).info" }
    var listPath: String { "/\(path)/@v/list" }
    var info: String { #"{"Version":"\#(version)","Time":"2024-01-02T03:04:05Z"}"# }

    /// The go.sum lines that are right for it.
    var sums: [GoSumLine] {
        get throws {
            let module = ModuleIdentity(path: try ModulePath(path), version: try ModuleVersion(version))
            guard let zipSum = ModuleHash(h1) else { return [] }
            return [
                GoSumLine(module: module, subject: .zip, hash: zipSum),
                GoSumLine(module: module, subject: .goMod, hash: ModuleHash.goMod(mod)),
            ]
        }
    }
}

/// A checksum database that says what a test wants.
final class ScriptedAuthority: SumAuthority {
    private let answer: Mutex<SumLookup>
    private let asked = Mutex(0)

    init(_ answer: SumLookup) { self.answer = Mutex(answer) }

    var count: Int { asked.withLock { $0 } }
    func say(_ next: SumLookup) { answer.withLock { $0 = next } }
    func covers(_ module: ModulePath) -> Bool { true }
    func lookup(_ module: ModuleIdentity) async -> SumLookup {
        asked.withLock { $0 += 1 }
        return answer.withLock { $0 }
    }
}
