import Synchronization

/// What request targets that were asked for of late mean, so that the same target is not read and named again.
///
/// It holds what follows from target and configuration alone: never whether something is held, or who may have it. Each
/// target has one slot, which the next one that falls into it takes over.
final class TargetMemo<Meaning: Sendable>: Sendable {
    private struct Slot: Sendable {
        let target: String
        let query: String?
        let meaning: Meaning
    }

    private static var slotCount: Int { 1024 }
    /// Longer targets are not kept, in bytes: they bound the memory.
    private static var longest: Int { 1024 }

    private let slots = Mutex<[Slot?]>(Array(repeating: nil, count: slotCount))

    func meaning(of request: Request) -> Meaning? {
        let place = Self.place(request)
        return slots.withLock { slots in
            guard let slot = slots[place], slot.target == request.target, slot.query == request.query else {
                return nil
            }
            return slot.meaning
        }
    }

    func note(_ meaning: Meaning, of request: Request) {
        guard request.target.utf8.count + (request.query?.utf8.count ?? 0) <= Self.longest else { return }
        let slot = Slot(target: request.target, query: request.query, meaning: meaning)
        let place = Self.place(request)
        let before = slots.withLock { slots in
            defer { slots[place] = slot }
            return slots[place]
        }
        withExtendedLifetime(before) {}
    }

    /// Keyed by the process, so that nobody can aim at a slot. The query is left to the comparison.
    private static func place(_ request: Request) -> Int {
        request.target.hashValue & (slotCount - 1)
    }
}
