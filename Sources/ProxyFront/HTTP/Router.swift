/// Finds the responder of a path: an exact path before the longest prefix.
public struct Router: Responder {
    /// A part of the path space.
    public enum Place: Sendable, Hashable {
        /// This path alone.
        case exact(String)
        /// Every path that starts with this one, which ends in `/`.
        case prefix(String)

        var path: String {
            switch self {
            case .exact(let path), .prefix(let path): path
            }
        }
    }

    public struct Route: Sendable {
        let place: Place
        let about: String
        let responder: any Responder

        /// The path, or the prefix of all paths, that is served.
        public var path: String { place.path }

        /// `about` names what is served there in the answer to an unknown path.
        public init(_ place: Place, about: String, _ responder: any Responder) {
            precondition(place.path.hasPrefix("/"), "a route's path starts with /")
            if case .prefix(let path) = place {
                precondition(path.hasSuffix("/"), "a prefix ends with /, so that it ends at a path segment")
            }
            self.place = place
            self.about = about
            self.responder = responder
        }
    }

    /// The paths, exact ones first, then prefixes from long to short; and who answers under each.
    private let paths: [[UInt8]]
    private let exactCount: Int
    private let responders: [any Responder]
    private let unknown: Response

    /// Two routes of one place are a bug.
    public init(_ routes: [Route]) {
        precondition(Set(routes.map(\.place)).count == routes.count, "every route has a place of its own")
        var exact: [Route] = []
        var prefixes: [Route] = []
        for route in routes {
            switch route.place {
            case .exact: exact.append(route)
            case .prefix: prefixes.append(route)
            }
        }
        let sorted = exact + prefixes.sorted { $0.path.utf8.count > $1.path.utf8.count }
        paths = sorted.map { Array($0.path.utf8) }
        exactCount = exact.count
        responders = sorted.map(\.responder)
        let served = routes.map { "  \($0.place.path)  \($0.about)" }.joined(separator: "\n")
        unknown = .text(.notFound, "Nothing is served under this path. Served here:\n" + served)
    }

    public func respond(to request: Request) -> Answer {
        guard let responder = responder(for: request.target) else { return .now(unknown) }
        return responder.respond(to: request)
    }

    /// The responder of a path (without a query); nil when nothing is served there.
    public func responder(for target: String) -> (any Responder)? {
        // Bytes are compared, not characters: targets are ASCII.
        var target = target
        let place = target.withUTF8 { bytes in
            paths.indices.first { place in
                (place >= exactCount || bytes.count == paths[place].count)
                    && ByteSearch.starts(bytes, with: paths[place])
            }
        }
        return place.map { responders[$0] }
    }
}
