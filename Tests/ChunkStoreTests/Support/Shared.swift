import Synchronization

/// A number that several tasks of a test share.
final class SharedNumber: Sendable {
    private let number: Atomic<Int64>
    init(_ value: Int64) { number = Atomic(value) }
    var value: Int64 {
        get { number.load(ordering: .sequentiallyConsistent) }
        set { number.store(newValue, ordering: .sequentiallyConsistent) }
    }
}
