/// Conditional requests (RFC 9110 section 13), decided from the validators of the answer at hand.
package enum Conditions {
    package enum Verdict {
        case proceed
        /// 304
        case notModified
        /// 412
        case failed
    }

    /// In the order of RFC 9110 section 13.2.2. Only for GET and HEAD whose answer would be 200.
    package static func evaluate(request: Headers, answer: Headers) -> Verdict {
        let etag = answer["ETag"]
        let modified = answer["Last-Modified"].flatMap { HTTPDate($0) }
        if let wanted = request["If-Match"] {
            guard let etag, matches(wanted, etag, weakly: false) else { return .failed }
        } else if let since = request["If-Unmodified-Since"].flatMap({ HTTPDate($0) }), let modified {
            guard modified <= since else { return .failed }
        }
        if let held = request["If-None-Match"] {
            if let etag, matches(held, etag, weakly: true) { return .notModified }
            if held == "*" { return .notModified }
        } else if let since = request["If-Modified-Since"].flatMap({ HTTPDate($0) }), let modified {
            if modified <= since { return .notModified }
        }
        return .proceed
    }

    /// Whether `If-Range` lets a range through (RFC 9110 section 13.1.5): a strong validator that is equal.
    package static func rangeApplies(request: Headers, answer: Headers) -> Bool {
        guard let wanted = request["If-Range"] else { return true }
        if wanted.hasPrefix("\"") { return answer["ETag"] == wanted }
        if wanted.hasPrefix("W/") { return false }
        guard let date = HTTPDate(wanted), let modified = answer["Last-Modified"].flatMap({ HTTPDate($0) })
        else { return false }
        return date == modified
    }

    /// Whether a list of entity tags holds `etag`; a weak tag never matches strongly.
    static func matches(_ list: String, _ etag: String, weakly: Bool) -> Bool {
        if list == "*" { return true }
        let opaque = etag.hasPrefix("W/") ? etag.dropFirst(2) : Substring(etag)
        if !weakly, opaque.startIndex != etag.startIndex { return false }
        var rest = Substring(list)
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let weak = rest.hasPrefix("W/")
            if weak { rest = rest.dropFirst(2) }
            guard rest.hasPrefix("\""), let end = rest.dropFirst().firstIndex(of: "\"") else { return false }
            if rest[...end] == opaque, weakly || !weak { return true }
            rest = rest[rest.index(after: end)...]
        }
    }
}
