import Content
import Logging
import Synchronization

/// What the parts of an open store share.
package final class StoreParts: Sendable {
    package let configuration: ChunkStore.Configuration
    package let layout: Layout
    package let files: any FileSystem
    package let clock: StoreClock
    package let logger: Logger
    /// For short work: reads, lookups.
    package let pool: BlockingPool
    /// For the ingests' writing and hashing, so that no lookup waits behind it.
    let workers: BlockingPool
    /// For databases beside the index.
    package let databases: DatabaseFiles
    package let readers: ReaderPool
    package let writer: IndexWriter
    package let packFiles: PackFiles
    package let space: SpaceAccount
    package let events: EventHub
    package let recipes = RecipeHook()
    let cache: HotCache
    let promises = Promises()
    let openBlobs = OpenBlobs()
    let pinReach = Mutex<PinReach?>(nil)
    /// Set once nothing of an earlier crash is left.
    let swept = Signal()
    let ingests: Mutex<IngestRegistry>

    init(
        configuration: ChunkStore.Configuration, layout: Layout, files: any FileSystem, clock: StoreClock,
        logger: Logger, pool: BlockingPool, workers: BlockingPool, databases: DatabaseFiles,
        readers: ReaderPool,
        writer: IndexWriter, packFiles: PackFiles,
        space: SpaceAccount, cache: HotCache, ingests: IngestRegistry
    ) {
        self.configuration = configuration
        self.layout = layout
        self.files = files
        self.clock = clock
        self.logger = logger
        self.pool = pool
        self.workers = workers
        self.databases = databases
        self.readers = readers
        self.writer = writer
        self.packFiles = packFiles
        self.space = space
        self.cache = cache
        self.ingests = Mutex(ingests)
        events = EventHub()
    }

    func forget(_ ingest: Ingest) {
        ingests.withLock { $0.running[ingest.id] = nil }
    }

    /// Whether somebody besides the cache holds the blob's file.
    func isInUse(_ digest: Digest) -> Bool {
        cache.letGoOfFile(digest)
        return openBlobs.isOpen(digest)
    }

    /// Keeps a partial for later; an older one of the same digest goes.
    func park(_ partial: ParkedPartial) {
        let old = ingests.withLock { $0.parked.updateValue(partial, forKey: partial.expected) }
        if let old { pool.submit { self.discardPartial(old.id, reserved: old.reserved) } }
    }

    /// Takes a partial and its map off the disk. Blocks.
    func discardPartial(_ id: Int64, reserved: Int64) {
        // The map goes first: a part without a map is discarded at the next open, a map alone means nothing.
        for path in [layout.partialMap(id), layout.partial(id)] {
            do throws(FileError) { try files.unlink(path) } catch  where error.isNotFound {
                continue
            } catch {
                logger.warning("cannot remove a partial", metadata: ["reason": "\(error)"])
            }
        }
        space.add(-reserved)
    }
}
