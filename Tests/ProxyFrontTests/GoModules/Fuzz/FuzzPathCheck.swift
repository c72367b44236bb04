import ProxyFront

extension FuzzCheck {
    private static let databases = ["sum.golang.org", "localhost.localdev/sumdb"]
    private static let net = try! ModulePath("golang.org/x/net")

    /// What is read as a request, path, version, pattern or file says the same when written and read again.
    func checkPath(_ bytes: [UInt8]) throws(FuzzViolation) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let request = try? GoRequest(parsing: text, databases: Self.databases) {
            let again = try? GoRequest(parsing: "/" + request.requestPath, databases: Self.databases)
            try FuzzViolation.check(again == request, "\(request) is written \(request.requestPath)")
            try FuzzViolation.check(
                request.path.utf8.allSatisfy { $0 < 0x80 && !($0 >= 0x41 && $0 <= 0x5a) },
                "\(request.path) holds letters that must be escaped")
        }
        if let path = try? ModulePath(text) {
            try FuzzViolation.check(
                (try? ModulePath(escaped: path.escaped)) == path, "\(path) is not escaped well")
            try FuzzViolation.check(
                path.text.hasSuffix(path.majorSuffix), "\(path) lacks \(path.majorSuffix)")
        }
        try checkVersions(text)
        if !text.hasPrefix("re:"), let pattern = try? ModulePattern(text) { _ = pattern.matches(Self.net) }
        _ = ModulePatterns(commaSeparated: text).matches(Self.net)
        if let sum = try? GoSum(parsing: text) {
            let written = sum.lines.map { "\($0)\n" }.joined()
            let again = try? GoSum(parsing: written)
            try FuzzViolation.check(again?.lines == sum.lines, "go.sum lines change when written: \(written)")
        }
        if let file = try? GoModFile(parsing: text) {
            try FuzzViolation.check(
                file.wanted.count <= file.requirements.count, "more is wanted than required")
        }
    }

    private func checkVersions(_ text: String) throws(FuzzViolation) {
        let versions = text.split(separator: " ").compactMap { try? ModuleVersion($0) }.prefix(8)
        for version in versions {
            try FuzzViolation.check(
                (try? ModuleVersion(escaped: version.escaped)) == version, "\(version) is not escaped well")
            if let pseudo = PseudoVersion(version), let base = try? pseudo.base() {
                try FuzzViolation.check(base < version, "the base \(base) does not precede \(version)")
            }
            for other in versions {
                let orders = [version < other, other < version, version == other].filter { $0 }
                try FuzzViolation.check(orders.count == 1, "\(version) and \(other) have no order")
            }
        }
    }
}
