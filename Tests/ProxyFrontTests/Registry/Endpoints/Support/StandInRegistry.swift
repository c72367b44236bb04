import ChunkStore
import Content
import NIOCore
import ProxyFront
import Synchronization

/// A registry in memory, as the endpoints ask it: counts what is asked, and fails as a test wants.
final class StandInRegistry: RegistrySource {
    struct Entry: Sendable {
        var type: String
        var bytes: [UInt8]
    }

    /// One repository.
    struct Shelf: Sendable {
        var manifests: [Digest: Entry] = [:]
        var tags: [String: Digest] = [:]
        var blobs: [Digest: [UInt8]] = [:]
        var referrers: [Digest: [Descriptor]] = [:]
        /// Opens it; nil = open to everybody.
        var secret: UpstreamCredential?
    }

    /// What goes wrong with bodies.
    struct Faults: Sendable {
        /// Every call fails so.
        var everything: UpstreamFailure?
        /// Bodies end after this many bytes of each answer, this many times.
        var cutAfter: Int?
        var cuts = 0
        /// Bytes of blobs are others than they should be, from the sources of these names.
        var liars: Set<String> = []
        /// Nothing of a blob comes before this opens.
        var gate: FaultUpstream.Gate?
        /// The next so many manifest requests fail with 500.
        var hiccups = 0
    }

    private struct State {
        var shelves: [String: Shelf] = [:]
        var asked: [String] = []
        var faults = Faults()
        /// Bytes of blobs that left.
        var sent = 0
    }

    private let state = Mutex(State())
    /// What the node is configured with.
    let nodeCredential: UpstreamCredential?
    /// The names of the places that blobs come from.
    let mirrors: [String]

    init(nodeCredential: UpstreamCredential? = nil, mirrors: [String] = ["stand-in"]) {
        self.nodeCredential = nodeCredential
        self.mirrors = mirrors
    }

    /// `HEAD docker.io/library/x:1 anonymous`, in order.
    var asked: [String] { state.withLock { $0.asked } }
    var sent: Int { state.withLock { $0.sent } }
    func count(_ prefix: String) -> Int { asked.count { $0.hasPrefix(prefix) } }
    func forgetAsked() { state.withLock { $0.asked = [] } }

    func change(_ repository: String, _ body: (inout Shelf) -> Void) {
        state.withLock { body(&$0.shelves[repository, default: Shelf()]) }
    }

    func fail(_ body: (inout Faults) -> Void) { state.withLock { body(&$0.faults) } }

    static let down = UpstreamFailure.unreachable(upstream: "stand-in", reason: "connection refused")

    func goDown() { fail { $0.everything = Self.down } }
    func comeBack() { fail { $0.everything = nil } }

    // MARK: RegistrySource

    func isAsked(_ registry: RegistryHost) -> Bool { true }

    private static func name(_ identity: UpstreamIdentity) -> String {
        switch identity {
        case .anonymous: "anonymous"
        case .node: "node"
        case .client(.basic(let user, _)): "client \(user)"
        case .client: "client"
        }
    }

    private static func refused(_ status: Int) -> UpstreamFailure {
        .refused(UpstreamRefusal(upstream: "stand-in", status: status))
    }

    /// The repository as somebody sees it.
    private func shelf(
        _ repository: Repository, _ what: String, as identity: UpstreamIdentity
    ) throws(UpstreamFailure) -> (Shelf, AccessClass) {
        let result: Result<(Shelf, AccessClass), UpstreamFailure> = state.withLock { state in
            state.asked.append("\(what) \(Self.name(identity))")
            if let failure = state.faults.everything { return .failure(failure) }
            guard let shelf = state.shelves["\(repository)"] else { return .failure(Self.refused(404)) }
            guard let secret = shelf.secret else { return .success((shelf, .public)) }
            let given: UpstreamCredential? =
                switch identity {
                case .anonymous: nil
                case .node: nodeCredential
                case .client(let credential): credential
                }
            return given == secret ? .success((shelf, .private)) : .failure(Self.refused(401))
        }
        return try result.get()
    }

    private func find(
        _ reference: ManifestReference, _ repository: Repository, _ method: String, _ accept: [String],
        _ identity: UpstreamIdentity
    ) throws(UpstreamFailure) -> (ManifestFacts, [UInt8]) {
        let mark = if case .tag = reference { ":" } else { "@" }
        let (shelf, access) = try shelf(
            repository, "\(method) \(repository)\(mark)\(reference)", as: identity)
        let digest: Digest? =
            switch reference {
            case .tag(let tag): shelf.tags[tag.text]
            case .digest(let digest): digest
            }
        guard let digest, let entry = shelf.manifests[digest] else { throw Self.refused(404) }
        return (
            ManifestFacts(
                digest: digest, mediaType: entry.type, size: Int64(entry.bytes.count), access: access,
                origin: "stand-in"), entry.bytes
        )
    }

    func head(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> ManifestFacts {
        try find(reference, repository, "HEAD", accept, identity).0
    }

    func manifest(
        _ reference: ManifestReference, of repository: Repository, accept: [String],
        as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (facts: ManifestFacts, bytes: [UInt8]) {
        let found = try find(reference, repository, "GET", accept, identity)
        let fails = state.withLock { state in
            guard state.faults.hiccups > 0 else { return false }
            state.faults.hiccups -= 1
            return true
        }
        if fails { throw Self.refused(500) }
        return (found.0, found.1)
    }

    func headBlob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> (size: Int64?, access: AccessClass) {
        let (shelf, access) = try shelf(repository, "HEAD blob \(repository)@\(digest)", as: identity)
        guard let blob = shelf.blobs[digest] else { throw Self.refused(404) }
        return (Int64(blob.count), access)
    }

    func blob(
        _ digest: Digest, of repository: Repository, as identity: UpstreamIdentity
    ) -> [any BodySource] {
        mirrors.map {
            Place(name: $0, registry: self, digest: digest, repository: repository, identity: identity)
        }
    }

    func tags(
        of repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<String> {
        let (shelf, access) = try shelf(repository, "TAGS \(repository)", as: identity)
        return RegistryList(Array(shelf.tags.keys), access: access, origin: "stand-in")
    }

    func referrers(
        of digest: Digest, in repository: Repository, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<Descriptor> {
        let (shelf, access) = try shelf(repository, "REFERRERS \(repository)@\(digest)", as: identity)
        return RegistryList(shelf.referrers[digest] ?? [], access: access, origin: "stand-in")
    }

    // MARK: bodies

    private struct Place: BodySource {
        let name: String
        let registry: StandInRegistry
        let digest: Digest
        let repository: Repository
        let identity: UpstreamIdentity

        func open(
            from offset: Int64, to end: Int64?, validator: String?
        ) async throws(UpstreamFailure) -> UpstreamAnswer {
            let range = offset > 0 || end != nil ? " \(offset)-\(end.map(String.init) ?? "")" : ""
            let (shelf, access) = try registry.shelf(
                repository, "GET blob \(repository)@\(digest)\(range) from \(name)", as: identity)
            guard var bytes = shelf.blobs[digest] else { throw StandInRegistry.refused(404) }
            guard offset < bytes.count || bytes.isEmpty else { throw StandInRegistry.refused(416) }
            let (cut, gate) = registry.state.withLock { state -> (Int?, FaultUpstream.Gate?) in
                if state.faults.liars.contains(name) { bytes[bytes.count / 2] ^= 0xff }
                guard let cut = state.faults.cutAfter, state.faults.cuts > 0 else {
                    return (nil, state.faults.gate)
                }
                state.faults.cuts -= 1
                return (cut, state.faults.gate)
            }
            var facts = UpstreamFacts()
            facts.offset = offset
            facts.total = Int64(bytes.count)
            facts.authenticated = access == .private
            let part = Array(bytes[Int(offset)..<Int(end ?? Int64(bytes.count))])
            facts.length = Int64(part.count)
            return UpstreamAnswer(
                facts: facts,
                body: Body(part, cutAfter: cut, gate: gate, total: Int64(part.count)) { count in
                    registry.state.withLock { $0.sent += count }
                })
        }
    }

    private final class Body: UpstreamBody {
        private let bytes: [UInt8]
        private let cutAfter: Int?
        private let gate: FaultUpstream.Gate?
        private let total: Int64
        private let sent: @Sendable (Int) -> Void
        private let position = Mutex(0)

        init(
            _ bytes: [UInt8], cutAfter: Int?, gate: FaultUpstream.Gate?, total: Int64,
            sent: @escaping @Sendable (Int) -> Void
        ) {
            self.bytes = bytes
            self.cutAfter = cutAfter
            self.gate = gate
            self.total = total
            self.sent = sent
        }

        func next() async throws(UpstreamFailure) -> ByteBuffer? {
            if let gate { await withCheckedContinuation { go in gate.whenOpen { go.resume() } } }
            let start = position.withLock { $0 }
            let limit = min(bytes.count, cutAfter ?? .max)
            if start >= limit {
                if limit < bytes.count {
                    throw .cutShort(upstream: "stand-in", received: Int64(start), expected: total)
                }
                return nil
            }
            let end = min(start + (64 << 10), limit)
            position.withLock { $0 = end }
            sent(end - start)
            return ByteBuffer(bytes: bytes[start..<end])
        }

        func cancel() {}
    }
}
