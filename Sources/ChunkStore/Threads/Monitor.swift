#if canImport(Glibc)
    import Glibc
#endif

/// State that several threads share and wait on: a mutex with a condition variable.
///
/// `Mutex` from Synchronization has no condition; the store's own threads need to sleep until work comes.
// Unchecked: `value` is only touched between lock and unlock of `mutex`, which never moves in memory.
final class Monitor<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the state and wakes whoever waits, when asked to.
    func update<Result>(waking: Wake = .one, _ body: (inout Value) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_mutex_unlock(mutex)
            switch waking {
            case .none: break
            case .one: pthread_cond_signal(condition)
            case .all: pthread_cond_broadcast(condition)
            }
        }
        return try body(&value)
    }

    /// Sleeps until `body` gives a result. `body` may instead ask to be called again at a time, in
    /// nanoseconds of the monotonic clock, or at the next wake-up (nil).
    func wait<Result>(_ body: (inout Value) -> Waited<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&value) {
            case .done(let result): return result
            case .until(let nanoseconds?):
                var deadline = timespec(
                    tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
                pthread_cond_timedwait(condition, mutex, &deadline)
            case .until(nil): pthread_cond_wait(condition, mutex)
            }
        }
    }

    enum Wake { case none, one, all }
}

enum Waited<Result> {
    case done(Result)
    case until(UInt64?)
}

/// Nanoseconds of the clock that `Monitor.wait` and the group commit count in.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
