import ChunkStore
import Content
import Logging
import Synchronization

/// Content that went out before a checksum database could vouch for it, checked once the database answers:
/// what it confirms is marked verified, what it contradicts is dropped with an alarm.
public final class UnverifiedContent: Sendable {
    private let store: ChunkStore
    private let check: SumCheck
    private let logger: Logger
    private let names = Mutex<Set<ReferenceName>>([])

    init(store: ChunkStore, check: SumCheck, logger: Logger) {
        self.store = store
        self.check = check
        self.logger = logger
    }

    /// Names waiting to be checked.
    public var count: Int { names.withLock { $0.count } }

    func add(_ name: ReferenceName) { names.withLock { _ = $0.insert(name) } }

    /// Finds what an earlier run of the program left unverified.
    func load() async {
        do {
            let left = try await store.references(prefix: "go/").filter { $0.verified == .unverified }
            names.withLock { $0.formUnion(left.map(\.name)) }
        } catch {
            logger.error("unverified content of earlier runs cannot be listed: \(error)")
        }
    }

    /// Tries everything that waits once. Stops at the first database that cannot be reached: the others are
    /// tried the next time.
    public func recheck() async {
        for name in names.withLock({ $0.sorted { $0.text < $1.text } }) {
            do {
                guard try await recheck(name) else { return }
            } catch {
                logger.error("\(name) cannot be checked again: \(error)")
            }
        }
    }

    /// - Returns: false when the database still cannot be reached.
    private func recheck(_ name: ReferenceName) async throws -> Bool {
        guard let reference = try await store.reference(name), reference.verified == .unverified,
            let resource = GoResource(moduleFile: name), let module = resource.identity,
            let sum = reference.h1.flatMap({ ModuleHash($0) })
        else {
            forget(name)
            return true
        }
        let answer = await check.authority.lookup(module)
        switch answer {
        case .unreachable: return false
        case .notFound, .invalid: return true
        case .sums: break
        }
        do {
            let verdict = try check.judge(answer, resource, module, found: sum, origin: reference.origin)
            if verdict == .verified {
                var checked = reference
                checked.verified = .verified
                try await store.setReference(checked)
                check.audit.record(
                    AuditEvent(.policy, name.text, reason: "verified later", digest: reference.h1))
                logger.notice("\(name) was checked since and is verified")
            }
        } catch let failure as DeliveryFailure {
            try await store.remove(reference.digest, because: failure.description)
        }
        forget(name)
        return true
    }

    private func forget(_ name: ReferenceName) { names.withLock { _ = $0.remove(name) } }
}

extension GoResource {
    /// The `.mod` or `.zip` that a reference names; nil for any other name.
    init?(moduleFile name: ReferenceName) {
        guard name.text.hasPrefix("go/"), let at = name.text.lastIndex(of: "@") else { return nil }
        let file = name.text[name.text.index(after: at)...]
        guard let module = try? ModulePath(String(name.text[..<at].dropFirst(3))),
            let version = try? ModuleVersion(file.dropLast(4))
        else { return nil }
        let request: GoRequest
        switch file.suffix(4) {
        case ".mod": request = .mod(module, version)
        case ".zip": request = .zip(module, version)
        default: return nil
        }
        guard let resource = try? GoResource(request) else { return nil }
        self = resource
    }
}
