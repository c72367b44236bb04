import ChunkStore
import Content
import Foundation
import Logging

/// A directory that is made for one test and removed with it.
final class TestDirectory: Sendable {
    let path: String

    init() {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("edgenode-store-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func configuration(
        _ change: (inout ChunkStore.Configuration) -> Void = { _ in }
    ) -> ChunkStore.Configuration {
        var configuration = ChunkStore.Configuration(directory: path, reservedFree: 0)
        // Tests say themselves when what goes on behind happens.
        configuration.upkeep.isEnabled = false
        change(&configuration)
        return configuration
    }

    func open(
        files: any FileSystem = PosixFileSystem(), clock: StoreClock = .system,
        _ change: (inout ChunkStore.Configuration) -> Void = { _ in }
    ) async throws -> ChunkStore {
        try await ChunkStore.open(configuration(change), files: files, clock: clock, logger: .quiet)
    }

    /// As `open`, with mistakes to make.
    func open(
        faults: Faults, files: any FileSystem = PosixFileSystem(), clock: StoreClock = .system,
        _ change: (inout ChunkStore.Configuration) -> Void = { _ in }
    ) async throws -> ChunkStore {
        try await ChunkStore.open(
            configuration(change), files: files, clock: clock, logger: .quiet, faults: faults)
    }

    /// The paths of the regular files below the directory, relative to it, in order.
    func files(below: String = "") -> [String] {
        let root = below.isEmpty ? path : path + "/" + below
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root + "/" + name, isDirectory: &isDirectory)
            return !isDirectory.boolValue
        }.sorted()
    }
}

extension Logger {
    /// Says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Bytes that follow from a seed and do not compress.
func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SplitMix(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
    return Array(bytes.prefix(count))
}

/// SplitMix64 (Steele et al., OOPSLA 2014): the tests' random numbers, the same for the same seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

extension StoredObject {
    /// The object's bytes, wherever they stand.
    func bytes() async throws -> [UInt8] {
        switch body {
        case .bytes(let bytes): return bytes
        case .recipe(let reader): return try await reader.read(0..<size)
        case .file(let file):
            var failure: FileError?
            let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
                do throws(FileError) {
                    count = try PosixFileSystem().read(
                        from: file, into: UnsafeMutableRawBufferPointer(buffer), at: 0)
                } catch { failure = error }
            }
            if let failure { throw failure }
            return bytes
        }
    }
}

extension Reference {
    /// A reference for tests; times are whole milliseconds, as the index keeps them.
    static func sample(_ name: String, _ digest: Digest, size: Int64 = 0) throws -> Reference {
        Reference(
            name: try ReferenceName(name), digest: digest, size: size,
            learned: Date(timeIntervalSince1970: 1_700_000_000.125),
            checked: Date(timeIntervalSince1970: 1_700_000_100.5), origin: "https://proxy.example",
            validator: "\"etag\"", contentType: "text/plain", verified: .verified, access: .public,
            h1: "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    }
}
