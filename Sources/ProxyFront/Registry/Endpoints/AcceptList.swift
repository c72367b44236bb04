/// The media types that a client takes, repeated `Accept` lines joined, in the order in which they came (RFC 9110,
/// section 12.5.1). Weights are passed over: no client of a registry sends them.
struct AcceptList: Sendable, Hashable {
    /// Bounds what a client can have sent upstream.
    private static let limit = 32

    /// Empty = anything.
    let types: [String]

    init(_ headers: Headers) {
        var types: [String] = []
        for line in headers.values("Accept") {
            for item in line.split(separator: ",") {
                let type = item.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
                if !type.isEmpty, type.utf8.count <= 128, !types.contains(type) { types.append(type) }
            }
        }
        self.types =
            types.contains { $0 == "*/*" || $0 == "application/*" } ? [] : Array(types.prefix(Self.limit))
    }

    func accepts(_ type: String?) -> Bool {
        guard !types.isEmpty, let type else { return true }
        return types.contains(type.prefix { $0 != ";" }.lowercased())
    }
}
