import ProxyFront

/// How far a long piece of work on the store is.
package struct WorkProgress: Codable, Sendable, Equatable {
    /// Objects done and in all; `total` is nil while it is not known.
    package var done: Int
    package var total: Int?
    package var bytes: Int64

    package init(done: Int, total: Int?, bytes: Int64) {
        self.done = done
        self.total = total
        self.bytes = bytes
    }
}

/// What a check of everything in the store found.
package struct VerifySummary: Codable, Sendable, Equatable {
    package var objects: Int
    package var bytes: Int64
    /// A line for each damaged object; those were dropped and will be fetched again when asked for.
    package var damaged: [String]
    /// False when it was stopped before the end.
    package var isComplete: Bool

    package init(objects: Int, bytes: Int64, damaged: [String], isComplete: Bool) {
        self.objects = objects
        self.bytes = bytes
        self.damaged = damaged
        self.isComplete = isComplete
    }
}

/// What a clean-up of the store freed.
package struct CollectSummary: Codable, Sendable, Equatable {
    package var freedBytes: Int64
    package var storeBytes: Int64
    package var objects: Int

    package init(freedBytes: Int64, storeBytes: Int64, objects: Int) {
        self.freedBytes = freedBytes
        self.storeBytes = storeBytes
        self.objects = objects
    }
}

/// What an operator may do to a store, be it this process's own or a running node's.
package protocol StoreAdministration: Sendable {
    /// Keeps every reference whose name matches `pattern` (`*` stands for any characters).
    func pin(_ pattern: String) async throws
    /// Whether there was such a pin.
    func unpin(_ pattern: String) async throws -> Bool
    func pins() async throws -> [String]
    /// Reads everything and checks it against its digests; damaged objects are dropped.
    func verify(_ progress: @escaping @Sendable (WorkProgress) -> Void) async throws -> VerifySummary
    /// Brings content in from a file or folder; what came in stays, whatever happens later.
    func importing(
        _ request: ImportRequest, _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> ImportSummary
    /// What a bundle would hold, or why there can be none.
    func planExport(_ request: ExportRequest) async throws -> ExportSummary
    /// The bundle, and its length in bytes.
    func export(_ request: ExportRequest) async throws -> (byteCount: Int64, body: any BodyProducer)
    /// What is held, as a file for the `--inventory` of an export elsewhere.
    func inventory() async throws -> any BodyProducer
    /// Applies age limits and the size cap, and gives back the space of what is not needed.
    func collect() async throws -> CollectSummary
}
