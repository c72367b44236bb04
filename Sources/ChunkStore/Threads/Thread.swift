#if canImport(Glibc)
    import Glibc
#endif

/// A thread of the store's own, for work that blocks.
// Unchecked: `handle` is written once in `init` and read once in `join`, which the owner calls last.
final class Thread: @unchecked Sendable {
    private var handle = pthread_t()

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// - Parameter name: what the thread is for, for the error.
    /// - Throws: `FileError` when the system has no more threads.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws(FileError) {
        let body = Unmanaged.passRetained(Body(run))
        let code = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                body.run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw FileError("start thread", name, code: code)
        }
    }

    /// Runs `body` on a thread made for it; on the calling one when the system has no more threads.
    static func run(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = {
                body()
                continuation.resume()
            }
            do { try Thread(name: "store-once", work).detach() } catch { work() }
        }
    }

    private func detach() { pthread_detach(handle) }

    /// Waits until the thread's work has returned.
    func join() { pthread_join(handle, nil) }
}
