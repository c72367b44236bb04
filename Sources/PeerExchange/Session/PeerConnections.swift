internal import Content
package import Gossip
package import Logging
package import NIOCore
internal import NIOPosix
internal import Synchronization

/// Who can be asked things.
package protocol PeerCaller: Sendable {
    /// Asks a member and waits for its reply.
    /// - Throws: `PeerFailure`; nothing is known then of whether it was asked.
    func call(
        _ request: PeerRequest, of peer: NodeID, within patience: CallPatience
    ) async throws(PeerFailure) -> PeerReply
}

/// How long a reply is waited for.
package struct CallPatience: Hashable, Sendable {
    /// So long the peer may send nothing at all, no part of any reply.
    package var silence: Duration
    /// After this the call is given up, even if something comes.
    package var inAll: Duration

    package init(silence: Duration, inAll: Duration) { (self.silence, self.inAll) = (silence, inAll) }

    /// For a reply of a few bytes, which may wait behind larger ones.
    package static func small(_ silence: Duration) -> CallPatience {
        CallPatience(silence: silence, inAll: silence * 4)
    }

    /// For a reply of up to a piece: a link of 140 kbit/s brings it in time.
    package static func piece(_ silence: Duration) -> CallPatience {
        CallPatience(silence: silence, inAll: silence * 20)
    }
}

/// Connections to other members: dialled when they are needed, used by many calls at once, a few for each.
package final class PeerConnections: PeerCaller, ExchangeTransport {
    private struct Session: Sendable {
        let channel: any Channel
        let handler: NIOLoopBound<SessionHandler>
        let peer: PeerIdentity
    }

    private struct State {
        var sessions: [NodeID: [Session]] = [:]
        /// Dials under way.
        var dials: [NodeID: Task<Session, any Error>] = [:]
        /// Those that could not be dialled lately.
        var failed: [NodeID: (until: ContinuousClock.Instant, failure: PeerFailure)] = [:]
        var turn = 0
        /// Times that everything was ended: a dial that was begun before does not outlive it.
        var round = 0
        var isClosed = false
    }

    /// Connections to one peer at most.
    private static let sessionsAtMost = 2
    private static let pause = Duration.milliseconds(500)

    private let identity: SessionIdentity
    private let limits: SessionLimits
    private let counters: ExchangeCounters
    private let group: any EventLoopGroup
    private let logger: Logger
    private let endpoint: @Sendable (NodeID) -> Endpoint?
    private let state = Mutex(State())

    /// - Parameter endpoint: where a member is reached; nil for what is no member.
    package init(
        identity: SessionIdentity, limits: SessionLimits, counters: ExchangeCounters,
        group: any EventLoopGroup,
        logger: Logger, endpoint: @escaping @Sendable (NodeID) -> Endpoint?
    ) {
        self.identity = identity
        self.limits = limits
        self.counters = counters
        self.group = group
        self.logger = logger
        self.endpoint = endpoint
    }

    package func call(
        _ request: PeerRequest, of peer: NodeID, within patience: CallPatience
    ) async throws(PeerFailure) -> PeerReply {
        counters.count(peer) { $0.calls += 1 }
        do throws(PeerFailure) {
            let session = try await session(with: peer)
            let reply = try await call(request, over: session, within: patience)
            if case .ok(let bytes) = reply { counters.count(peer) { $0.bytesIn += UInt64(bytes.count) } }
            return reply
        } catch {
            if !Task.isCancelled { counters.count(peer) { $0.failures += 1 } }
            throw error
        }
    }

    package func exchange(
        _ bytes: [UInt8], with endpoint: Endpoint, expecting: NodeID?
    ) async throws(ExchangeFailure) -> (NodeID, [UInt8]) {
        do throws(PeerFailure) {
            let session: Session
            if let expecting, let open = openSession(with: expecting) {
                session = open
            } else {
                let round = state.withLock { $0.round }
                session = try await dial(endpoint, expecting: expecting)
                keep(session, of: round)
            }
            switch try await call(.exchange(bytes), over: session, within: .small(.seconds(15))) {
            case .ok(let answer): return (session.peer.id, answer)
            case let other: throw .malformed("\(other)")
            }
        } catch {
            throw ExchangeFailure("\(error)")
        }
    }

    /// Dials a member anew, whatever is open to it, and asks it for a sign of life.
    /// - Returns: what that took.
    package func tryDialling(_ peer: NodeID) async throws(PeerFailure) -> Duration {
        guard let endpoint = endpoint(peer) else { throw .unknown }
        let start = ContinuousClock.now
        let session = try await dial(endpoint, expecting: peer)
        defer { session.channel.close(promise: nil) }
        _ = try await call(.ping, over: session, within: .init(silence: .seconds(3), inAll: .seconds(3)))
        return .now - start
    }

    /// Ends what is open to a peer: it is no member any more, or it lied.
    package func drop(_ peer: NodeID) {
        let sessions = state.withLock { $0.sessions.removeValue(forKey: peer) ?? [] }
        for session in sessions { session.channel.close(promise: nil) }
    }

    /// Ends everything that is open or being dialled.
    package func dropAll() {
        let sessions = state.withLock { state in
            defer { state.sessions = [:] }
            state.round += 1
            return state.sessions.values.flatMap(\.self)
        }
        for session in sessions { session.channel.close(promise: nil) }
    }

    package func stop() async {
        let sessions = state.withLock { state in
            state.isClosed = true
            defer { state.sessions = [:] }
            return state.sessions.values.flatMap(\.self)
        }
        for session in sessions { try? await session.channel.close() }
    }

    // MARK: sessions

    private func openSession(with peer: NodeID) -> Session? {
        state.withLock { state in
            let open = (state.sessions[peer] ?? []).filter { $0.channel.isActive }
            state.sessions[peer] = open.isEmpty ? nil : open
            guard !open.isEmpty else { return nil }
            state.turn &+= 1
            return open[state.turn % open.count]
        }
    }

    private func session(with peer: NodeID) async throws(PeerFailure) -> Session {
        if let open = openSession(with: peer) { return open }
        let dial: Task<Session, any Error>
        let failure: PeerFailure?
        (dial, failure) = state.withLock { state in
            if let failed = state.failed[peer] {
                if failed.until > .now { return (Task { throw failed.failure }, failed.failure) }
                state.failed[peer] = nil
            }
            if let running = state.dials[peer] { return (running, nil) }
            let task = Task { try await self.dialNow(peer) }
            state.dials[peer] = task
            return (task, nil)
        }
        if let failure { throw failure }
        do { return try await Self.outcome(of: dial) } catch {
            throw error as? PeerFailure ?? .unreachable("\(error)")
        }
    }

    private func dialNow(_ peer: NodeID) async throws(PeerFailure) -> Session {
        do throws(PeerFailure) {
            guard let endpoint = endpoint(peer) else { throw .unknown }
            let round = state.withLock { $0.round }
            let session = try await dial(endpoint, expecting: peer)
            state.withLock { $0.dials[peer] = nil }
            keep(session, of: round)
            return session
        } catch {
            state.withLock { state in
                state.dials[peer] = nil
                state.failed[peer] = (.now + Self.pause, error)
            }
            throw error
        }
    }

    /// What comes of a dial, which goes on for others when this task is cancelled.
    private static func outcome(of dial: Task<Session, any Error>) async throws -> Session {
        let (results, continuation) = AsyncStream.makeStream(of: Result<Session, any Error>.self)
        Task {
            continuation.yield(await dial.result)
            continuation.finish()
        }
        for await result in results { return try result.get() }
        throw PeerFailure.closed("it was given up")
    }

    /// - Parameter round: when it was dialled.
    private func keep(_ session: Session, of round: Int) {
        let isKept = state.withLock { state in
            guard !state.isClosed, state.round == round else { return false }
            var open = (state.sessions[session.peer.id] ?? []).filter { $0.channel.isActive }
            guard open.count < Self.sessionsAtMost else { return true }
            open.append(session)
            state.sessions[session.peer.id] = open
            return true
        }
        if !isKept { session.channel.close(promise: nil) }
    }

    private func dial(_ endpoint: Endpoint, expecting: NodeID?) async throws(PeerFailure) -> Session {
        let (identity, limits, counters) = (identity, limits, counters)
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(2))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            SessionHandler(
                                .dialler(expecting), identity: identity, limits: limits, counters: counters,
                                loop: channel.eventLoop))
                    }
                }
                .connect(host: endpoint.host, port: Int(endpoint.port)).get()
            let (bound, ready) = try await channel.eventLoop.submit {
                let handler = try channel.pipeline.syncOperations.handler(type: SessionHandler.self)
                return (NIOLoopBound(handler, eventLoop: channel.eventLoop), handler.ready.futureResult)
            }.get()
            let peer = try await ready.get()
            if let expecting, peer.id != expecting {
                channel.close(promise: nil)
                throw PeerFailure.refused("another node answers at \(endpoint): \(peer.id)")
            }
            return Session(channel: channel, handler: bound, peer: peer)
        } catch let failure as PeerFailure {
            throw failure
        } catch {
            throw .unreachable("\(endpoint): \(error)")
        }
    }

    private func call(
        _ request: PeerRequest, over session: Session, within patience: CallPatience
    ) async throws(PeerFailure) -> PeerReply {
        let loop = session.channel.eventLoop
        let promise = loop.makePromise(of: PeerReply.self)
        let ticket = CallTicket()
        let handler = session.handler
        do {
            return try await withTaskCancellationHandler {
                loop.execute { handler.value.call(request, within: patience, ticket: ticket, promise) }
                return try await promise.futureResult.get()
            } onCancel: {
                ticket.cancel()
                loop.execute { handler.value.giveUp(ticket) }
            }
        } catch let failure as PeerFailure {
            throw failure
        } catch {
            throw .closed("\(error)")
        }
    }
}
