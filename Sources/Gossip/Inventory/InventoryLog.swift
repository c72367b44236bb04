import Content

/// One change of an inventory.
package struct InventoryChange: Hashable, Sendable {
    package let id: UInt64
    package let isAdd: Bool

    static let byteCount = 9

    package init(id: UInt64, isAdd: Bool) { (self.id, self.isAdd) = (id, isAdd) }

    init(from reader: inout WireReader) throws(WireError) {
        id = try reader.read()
        isAdd = try reader.read(UInt8.self) & 1 != 0
    }

    func write(to writer: inout WireWriter) {
        writer.write(id)
        writer.write(UInt8(isAdd ? 1 : 0))
    }
}

/// What one node holds, as its own log says it: every change has a number, the last ones are kept for those who lack
/// them. The node itself is the only writer; what others keep of it is the same thing, one step behind.
package struct InventoryLog: Sendable {
    /// Changes that are kept; who lacks more takes a snapshot.
    package static let windowLimit = 4096
    /// No log gets this far; what says so is a lie, and would make the numbers after it overflow.
    package static let sequenceLimit: UInt64 = 1 << 62
    /// Ids that are kept of one node at most.
    package static let idLimit = 16_000_000

    /// Chosen anew at each start of the writer.
    package private(set) var epoch: UInt64
    /// Number of the last change.
    package private(set) var sequence: UInt64
    package private(set) var ids: IDSet
    private var window: [InventoryChange] = []
    private var windowStart = 0

    package init(epoch: UInt64) {
        self.epoch = epoch
        sequence = 0
        ids = IDSet()
    }

    /// A snapshot that somebody sent.
    package init(epoch: UInt64, sequence: UInt64, sorted: [UInt64]) {
        self.epoch = epoch
        self.sequence = sequence
        ids = IDSet(sorted: sorted)
    }

    /// Writes changes, those that change nothing left out.
    /// - Returns: whether there were any.
    package mutating func change(add: [InventoryID], remove: [InventoryID]) -> Bool {
        let before = sequence
        for id in remove where ids.remove(id.rawValue) { log(.init(id: id.rawValue, isAdd: false)) }
        for id in add where ids.insert(id.rawValue) { log(.init(id: id.rawValue, isAdd: true)) }
        return sequence > before
    }

    /// Takes over changes that follow number `after`. Those that are known already are skipped.
    /// - Returns: false when some between are missing.
    package mutating func apply(_ operations: [InventoryChange], after: UInt64) -> Bool {
        guard after <= sequence else { return false }
        let known = sequence - after
        guard known < UInt64(operations.count) else { return true }
        guard ids.count <= Self.idLimit - operations.count else { return false }
        for operation in operations.dropFirst(Int(known)) {
            if operation.isAdd { ids.insert(operation.id) } else { ids.remove(operation.id) }
            log(operation)
        }
        return true
    }

    private mutating func log(_ operation: InventoryChange) {
        sequence += 1
        window.append(operation)
        if window.count - windowStart > Self.windowLimit {
            windowStart += 1
            if windowStart >= Self.windowLimit {
                window.removeFirst(windowStart)
                windowStart = 0
            }
        }
    }

    /// At most `limit` changes that follow number `after`; nil when they are no longer kept.
    package func operations(after: UInt64, limit: Int) -> [InventoryChange]? {
        let kept = UInt64(window.count - windowStart)
        guard after <= sequence, sequence - after <= kept else { return nil }
        let start = window.count - Int(sequence - after)
        return Array(window[start..<min(window.count, start + limit)])
    }

    package mutating func page(after: UInt64?, limit: Int) -> (ids: [UInt64], more: Bool) {
        ids.page(after: after, limit: limit)
    }
}
