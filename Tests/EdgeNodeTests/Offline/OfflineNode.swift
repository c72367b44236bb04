import ChunkStore
import Content
import EdgeNode
import Foundation
import Gossip
import Logging
import ProxyFront
import Synchronization

/// A store of its own with a node's key, and what commands do to it; no network at all.
final class OfflineNode: Sendable {
    let folder: TemporaryFolder
    let store: ChunkStore
    let key: NodeKey
    let audit = AuditTrail()
    private let administration: LocalAdministration

    init(
        _ settings: String = "", trusting keys: [NodeID] = [], capacity: Int64 = 0,
        in given: TemporaryFolder? = nil
    ) async throws {
        folder = try given ?? TemporaryFolder()
        let keys = keys.map { "\"\($0)\"" }.joined(separator: ", ")
        let text = settings + "\n[import]\ntrusted_keys = [\(keys)]\n[node]\ndata_dir = \"\(folder.path)\"\n"
        let configuration = try Configuration.parse(text, environment: [:]).configuration
        let key = try NodeKeyFile.loadOrCreate(at: folder.path + "/node.key")
        var settings = configuration.storeConfiguration
        settings.upkeep.isEnabled = false
        settings.capacity = capacity
        settings.reservedFree = 0
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let quiet = logger
        let store = try await ChunkStore.open(settings, logger: logger)
        let audit = audit
        self.key = key
        self.store = store
        administration = LocalAdministration(store: store) {
            try await Transfers.alone(configuration, store: store, key: key, audit: audit, logger: quiet)
        }
    }

    @discardableResult
    func take(
        _ path: String, as name: String? = nil, isPublic: Bool = false, trust: [String] = []
    ) async throws -> ImportSummary {
        try await administration.importing(
            ImportRequest(path: path, name: name, isPublic: isPublic, trusted: trust)
        ) { _ in }
    }

    func plan(_ request: ExportRequest) async throws -> ExportSummary {
        try await administration.planExport(request)
    }

    /// The whole bundle.
    func export(_ request: ExportRequest) async throws -> [UInt8] {
        let (byteCount, body) = try await administration.export(request)
        let bytes = try await Self.bytes(of: body)
        guard Int64(bytes.count) == byteCount else { throw CocoaError(.fileReadCorruptFile) }
        return bytes
    }

    func inventory() async throws -> [UInt8] { try await Self.bytes(of: administration.inventory()) }

    private static func bytes(of body: any BodyProducer) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try await body.next() {
            if case .bytes(let buffer) = part { bytes += buffer.readableBytesView }
        }
        return bytes
    }

    /// Puts a file into the node's folder.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let path = folder.path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Every name that the store has, but for what it keeps of its own.
    func names() async throws -> [String] { try await store.references(prefix: "").map(\.name.text) }

    func reference(_ name: String) async throws -> Reference? {
        try await store.reference(try ReferenceName(name))
    }

    func bytes(_ digest: Digest) async throws -> [UInt8]? {
        try await store.object(digest)?.wholeBytes(atMost: 64 << 20)
    }

    /// Puts bytes under a name.
    func put(
        _ bytes: [UInt8], as name: String, type: String? = nil, verified: Verification = .verified,
        access: AccessClass = .public, checked: Date = Date(), h1: String? = nil
    ) async throws {
        let reference = Reference(
            name: try ReferenceName(name), digest: Digest(of: bytes), size: Int64(bytes.count),
            learned: checked,
            checked: checked, origin: "https://upstream.example", contentType: type, verified: verified,
            access: access, h1: h1)
        try await store.keep(bytes, as: reference, sync: true)
    }
}

/// What was decided, in order.
final class AuditTrail: AuditLog {
    private let list = Mutex<[AuditEvent]>([])
    var events: [AuditEvent] { list.withLock { $0 } }
    func record(_ event: AuditEvent) { list.withLock { $0.append(event) } }
}
