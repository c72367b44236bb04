import ChunkStore
import Content
import Synchronization

/// Remembers what a scenario did and was told, to say after a crash what must, may and must not be there.
final class CrashOracle: Sendable {
    /// A key of the store and a value that it may have: nil = not there.
    private struct Change: Sendable {
        let key: String
        let value: String?
        let begun: Int
        var ended: Int?
    }
    private struct State {
        var changes: [Change] = []
        var bytes: [Digest: [UInt8]] = [:]
    }
    private let state = Mutex(State())
    private let position: @Sendable () -> Int

    /// - Parameter position: where in the journal the scenario is.
    init(position: @escaping @Sendable () -> Int) { self.position = position }

    func knows(_ bytes: [UInt8]) -> Digest {
        let digest = Digest(of: bytes)
        state.withLock { $0.bytes[digest] = bytes }
        return digest
    }

    /// Runs `body`, which makes the given values true when it returns.
    func doing<Value>(_ changes: [(String, String?)], _ body: () async throws -> Value) async throws -> Value
    {
        let start = position()
        let first = state.withLock { state in
            defer { state.changes += changes.map { Change(key: $0.0, value: $0.1, begun: start) } }
            return state.changes.count
        }
        let value = try await body()
        let end = position()
        state.withLock { state in
            for index in first..<first + changes.count { state.changes[index].ended = end }
        }
        return value
    }

    static func blob(_ digest: Digest) -> String { "blob \(digest)" }
    static func name(_ name: String) -> String { "name \(name)" }

    /// What each key may be after a crash behind the first `point` operations.
    private func allowed(at point: Int) -> [String: Set<String?>] {
        var allowed: [String: Set<String?>] = [:]
        for change in state.withLock({ $0.changes }) {
            if change.begun > point {
                if allowed[change.key] == nil { allowed[change.key] = [nil] }
            } else if let ended = change.ended, ended <= point {
                allowed[change.key] = [change.value]
            } else {
                allowed[change.key, default: [nil]].insert(change.value)
            }
        }
        return allowed
    }

    /// A sentence for each thing in `store` that contradicts what was promised by operation `point`.
    func findings(in store: ChunkStore, at point: Int) async throws -> [String] {
        var findings: [String] = []
        let bytes = state.withLock { $0.bytes }
        for (key, values) in allowed(at: point).sorted(by: { $0.key < $1.key }) {
            let found: String?
            if key.hasPrefix("blob ") {
                let digest = try Digest(parsing: key.dropFirst(5))
                let object = try await store.object(digest)
                found = object == nil ? nil : "held"
                if let object, try await object.bytes() != bytes[digest] {
                    findings.append("\(key) is corrupt")
                }
            } else {
                found = try await store.reference(ReferenceName(String(key.dropFirst(5))))?.digest.description
            }
            if !values.contains(found) {
                findings.append("\(key) is \(found ?? "absent"), may be \(values.map { $0 ?? "absent" })")
            }
        }
        return findings
    }
}
