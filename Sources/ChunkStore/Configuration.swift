extension ChunkStore {
    /// Where the store lives and how much it may keep.
    public struct Configuration: Sendable {
        /// The store's own directory; made with mode 0700 when it does not exist.
        public var directory: String
        /// The most bytes the store may use on disk; 0 = no cap but the disk itself.
        public var capacity: Int64
        /// Share of `capacity` above which eviction starts, and to which it then goes down.
        public var highWater: Double
        public var lowWater: Double
        /// Bytes of the file system that the store leaves free whatever its capacity says.
        public var reservedFree: Int64
        /// Objects of at most this many bytes share packs; larger ones are files of their own.
        public var smallObjectLimit: Int
        /// A blob that nobody read for this long is folded into its recipe.
        public var foldAfter: Duration
        /// Age limits: references whose name matches `pattern` are dropped when unused for `age`.
        public var maxUnused: [AgeLimit]
        /// What goes on behind: settling, folding, scrubbing.
        public var upkeep = UpkeepLimits()
        /// Bounds of what is kept in memory.
        public var memory: MemoryLimits
        /// Threads for blocking work (reads, hashing, SQLite readers).
        public var threads: Int
        /// The longest that a `put(sync: false)` waits before it is committed together with others.
        public var groupCommitDelay: Duration
        /// A pack that would grow past this is sealed and a new one begun, in bytes.
        package var packSizeLimit: Int64 = 64 << 20

        public init(
            directory: String, capacity: Int64 = 0, highWater: Double = 0.95, lowWater: Double = 0.85,
            reservedFree: Int64 = 1 << 30, smallObjectLimit: Int = 64 << 10,
            foldAfter: Duration = .seconds(14 * 86400), maxUnused: [AgeLimit] = [],
            memory: MemoryLimits = MemoryLimits(), threads: Int = 6,
            groupCommitDelay: Duration = .milliseconds(50)
        ) {
            self.directory = directory
            self.capacity = capacity
            self.highWater = highWater
            self.lowWater = lowWater
            self.reservedFree = reservedFree
            self.smallObjectLimit = smallObjectLimit
            self.foldAfter = foldAfter
            self.maxUnused = maxUnused
            self.memory = memory
            self.threads = threads
            self.groupCommitDelay = groupCommitDelay
        }

        func validated() throws(StoreError) -> Configuration {
            func demand(_ holds: Bool, _ what: String) throws(StoreError) {
                if !holds { throw .badConfiguration(what) }
            }
            try demand(!directory.isEmpty, "the store's directory is empty: name one")
            try demand(capacity >= 0, "capacity is \(capacity): give bytes, or 0 for no cap")
            try demand(
                0 < lowWater && lowWater <= highWater && highWater <= 1,
                "water marks \(lowWater) and \(highWater): they must hold 0 < low <= high <= 1")
            try demand(reservedFree >= 0, "reserved free space is \(reservedFree): give bytes, 0 or more")
            try demand(
                (0...(16 << 20)).contains(smallObjectLimit),
                "small object limit is \(smallObjectLimit): give 0 to 16 MiB")
            try demand(
                upkeep.settleRate > 0 && upkeep.scrubRate >= 0,
                "upkeep rates \(upkeep.settleRate) and \(upkeep.scrubRate): give bytes a second")
            try demand(upkeep.interval > .zero, "the upkeep interval must be longer than zero")
            try demand((1...256).contains(threads), "threads is \(threads): give 1 to 256")
            return self
        }
    }

    /// How much is done behind, and how fast.
    public struct UpkeepLimits: Sendable, Equatable {
        /// False = nothing happens behind; folding, scrubbing and eviction still work when asked for.
        public var isEnabled: Bool
        /// Bytes a second that settling and folding may read.
        public var settleRate: Int64
        /// Bytes a second that the scrub reads; 0 = no scrub.
        public var scrubRate: Int64
        /// How often it is looked for what was published, became cold or is too old.
        public var interval: Duration
        /// A folded blob that is read twice within this time becomes whole again.
        public var unfoldWindow: Duration

        public init(
            isEnabled: Bool = true, settleRate: Int64 = 64 << 20, scrubRate: Int64 = 2 << 20,
            interval: Duration = .seconds(60), unfoldWindow: Duration = .seconds(86400)
        ) {
            self.isEnabled = isEnabled
            self.settleRate = settleRate
            self.scrubRate = scrubRate
            self.interval = interval
            self.unfoldWindow = unfoldWindow
        }
    }

    /// How long references of one kind are kept unused.
    public struct AgeLimit: Sendable, Equatable {
        /// A glob over reference names: `*` stands for any run of characters.
        public var pattern: String
        public var age: Duration

        public init(pattern: String, age: Duration) {
            self.pattern = pattern
            self.age = age
        }
    }

    /// Bounds of the memory cache of hot references, small objects and open files.
    public struct MemoryLimits: Sendable {
        public var references: Int
        /// Bytes of small objects.
        public var objectBytes: Int
        public var openFiles: Int

        public init(references: Int = 8192, objectBytes: Int = 8 << 20, openFiles: Int = 256) {
            self.references = references
            self.objectBytes = objectBytes
            self.openFiles = openFiles
        }
    }
}
