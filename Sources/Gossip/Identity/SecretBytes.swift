import CSodium

/// Secret bytes that are locked into memory, kept out of core dumps and wiped when let go.
///
/// It has no description and is not copied: code that needs the bytes borrows them.
final class SecretBytes: @unchecked Sendable {
    // Sendable: the memory is written by `init` only, before anyone else can see it, and freed by `deinit`.
    private let pointer: UnsafeMutablePointer<UInt8>
    let count: Int

    /// Memory of `count` bytes, all of which `fill` writes.
    /// - Throws: `NodeKeyError.noMemory`, or what `fill` throws; the memory is wiped either way.
    init(count: Int, _ fill: (UnsafeMutablePointer<UInt8>) throws -> Void) throws {
        guard Sodium.isReady, let memory = sodium_malloc(count) else { throw NodeKeyError.noMemory }
        pointer = memory.bindMemory(to: UInt8.self, capacity: count)
        self.count = count
        try fill(pointer)
        sodium_mprotect_readonly(pointer)
    }

    deinit {
        // sodium_free wipes the memory before it gives it back.
        sodium_free(pointer)
    }

    func withBytes<Result>(_ body: (UnsafePointer<UInt8>) throws -> Result) rethrows -> Result {
        try body(pointer)
    }
}
