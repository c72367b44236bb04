import Synchronization

/// Does a piece of work once for everybody who asks for it at the same time.
///
/// The work runs in a task of its own: whoever asked may go away without stopping it. Between looking a
/// flight up and registering a new one there is no suspension, so two never start for one key.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let flights = Mutex<[Key: OneShot<Value>]>([:])

    package init() {}

    /// The keys in flight.
    package var count: Int { flights.withLock { $0.count } }

    /// Joins the flight of `key`, or starts one.
    /// - Returns: the value and whether this caller joined a flight that was under way.
    /// - Throws: `CancellationError` when the calling task is cancelled; the work goes on.
    package func run(_ key: Key, _ work: @escaping @Sendable () async -> Value) async throws -> (
        Value, joined: Bool
    ) {
        let (flight, joined) = join(key, work)
        return (try await flight.value(), joined)
    }

    /// Starts the work unless it is under way; waits for nothing.
    package func start(_ key: Key, _ work: @escaping @Sendable () async -> Value) {
        _ = join(key, work)
    }

    private func join(
        _ key: Key, _ work: @escaping @Sendable () async -> Value
    ) -> (OneShot<Value>, joined: Bool) {
        let (flight, joined) = flights.withLock { flights in
            if let running = flights[key] { return (running, true) }
            let flight = OneShot<Value>()
            flights[key] = flight
            return (flight, false)
        }
        if !joined {
            Task.detached {
                let value = await work()
                // Out of the table first: who comes now sees what the work left behind, not its old answer.
                self.flights.withLock { _ = $0.removeValue(forKey: key) }
                flight.fulfil(value)
            }
        }
        return (flight, joined)
    }
}
