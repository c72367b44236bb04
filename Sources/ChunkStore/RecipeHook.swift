import Synchronization

/// Makes readers for folded blobs.
package protocol RecipeOpener: Sendable {
    /// Called on a thread that may block; nil when the recipe is not there any more or makes no sense.
    func open(_ blob: BlobRow, with connection: Connection) throws -> (any RecipeReader)?
    /// A chunk did not verify: everything that needs it is to be dropped. Does not block.
    func chunkIsDamaged(_ number: Int64)
}

/// Where the store finds who reads folded blobs.
package final class RecipeHook: Sendable {
    private let current = Mutex<(any RecipeOpener)?>(nil)

    package var opener: (any RecipeOpener)? { current.withLock { $0 } }

    /// Nil ends it: the opener holds the store's parts, and they hold this.
    package func set(_ opener: (any RecipeOpener)?) { current.withLock { $0 = opener } }
}
