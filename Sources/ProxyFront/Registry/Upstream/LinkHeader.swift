/// The next page of a list, as `Link: </v2/...?n=..&last=..>; rel="next"` names it (RFC 8288).
enum LinkHeader {
    /// Nil when no line names one.
    static func next(in lines: [String]) -> String? {
        for line in lines {
            var rest = line[...]
            while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
                let target = rest[rest.index(after: open)..<close]
                rest = rest[rest.index(after: close)...]
                // Parameters go up to the comma before the next link.
                let end = rest.firstIndex(of: "<") ?? rest.endIndex
                let parameters = rest[..<end].split { $0 == ";" || $0 == "," }.map { part in
                    part.filter { $0 != " " && $0 != "\"" }.lowercased()
                }
                if parameters.contains("rel=next") { return String(target) }
            }
        }
        return nil
    }
}
