import Foundation

/// The signals that a running node answers to, as a stream.
package enum Signals {
    package enum Event: Sendable {
        /// SIGTERM or SIGINT.
        case stop
        /// SIGHUP.
        case reload
    }

    /// Takes over SIGTERM, SIGINT and SIGHUP for the rest of the process's life.
    package static func events() -> AsyncStream<Event> {
        let (stream, continuation) = AsyncStream<Event>.makeStream()
        let sources = [(SIGTERM, Event.stop), (SIGINT, .stop), (SIGHUP, .reload)].map { number, event in
            // The default action would end the process before the source is asked.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(event) }
            source.resume()
            return SignalSource(source)
        }
        continuation.onTermination = { _ in for source in sources { source.cancel() } }
        return stream
    }

    private final class SignalSource: @unchecked Sendable {
        // Sendable: a dispatch source may be cancelled from any thread.
        private let source: any DispatchSourceSignal
        init(_ source: any DispatchSourceSignal) { self.source = source }
        func cancel() { source.cancel() }
    }
}
