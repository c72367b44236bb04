import ChunkStore
import Content
import PeerExchange

/// A blob of the store, as a peer reads it.
struct HeldBody: LocalBody {
    let facts: ContentFacts
    let transfer: TransferKey
    private let object: StoredObject

    /// - Parameter transfer: the flight that brought the bytes, for those who began with that.
    init(_ object: StoredObject, facts: ContentFacts, transfer: TransferKey) {
        self.object = object
        self.facts = facts
        self.transfer = transfer
    }

    var isComplete: Bool { true }
    var isFed: Bool { false }
    var present: [Range<Int64>] { object.size > 0 ? [0..<object.size] : [] }

    func read(_ range: Range<Int64>) async throws -> [UInt8] { try await object.read(range) }

    func waitForMore(than count: Int64, within patience: Duration) async {}
}

extension StoredObject {
    /// The bytes of a range, however they are kept.
    /// - Throws: `StoreError.incomplete` for a range beyond the end, else what the disk reports.
    func read(_ range: Range<Int64>) async throws -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw StoreError.incomplete(present: size, size: size)
        }
        switch body {
        case .bytes(let bytes): return Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        case .file(let file): return try await FileBytes.read(FileSlice(file: file, range: range))
        case .recipe(let reader): return try await reader.read(range)
        }
    }
}
