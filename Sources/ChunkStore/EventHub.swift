import Content
import Synchronization

/// Hands the store's events to those who asked for them.
package final class EventHub: Sendable {
    private let handlers = Mutex<[@Sendable (StoreEvent) -> Void]>([])

    package func add(_ handler: @escaping @Sendable (StoreEvent) -> Void) {
        handlers.withLock { $0.append(handler) }
    }

    package func send(_ event: StoreEvent) {
        for handler in handlers.withLock({ $0 }) { handler(event) }
    }
}

extension EventHub {
    func named(_ references: [Reference]) {
        if !references.isEmpty { send(.named(references)) }
    }

    func unnamed(_ names: [ReferenceName]) {
        if !names.isEmpty { send(.unnamed(names)) }
    }
}
