/// What answers under `/sumdb/`.
public protocol SumDatabaseEndpoint: Sendable {
    /// The names of the databases served, as they stand in paths.
    var names: [String] { get }
    /// Called on the event loop: must not block.
    func respond(to asked: SumDBRequest, of name: String, _ request: Request) -> Answer
}
