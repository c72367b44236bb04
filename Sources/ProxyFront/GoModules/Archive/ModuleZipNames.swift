/// The rules for file names in a module zip (golang.org/x/mod/zip, `CheckZip`).
struct ModuleZipNames {
    private let prefix: [UInt8]
    private let limits: ZipLimits
    private var seen: [String: (path: String, isFolder: Bool)] = [:]

    init(module: ModuleIdentity, limits: ZipLimits) {
        prefix = Array("\(module.description)/".utf8)
        self.limits = limits
    }

    /// The full name of the module's go.mod in its zip.
    var goModName: [UInt8] { prefix + Array("go.mod".utf8) }

    /// Holds one more entry against the rules and against those before it.
    mutating func check(_ name: ArraySlice<UInt8>, unpacked: Int64, into oddities: inout ZipOddities) {
        guard name.starts(with: prefix) else {
            return oddities.add(ZipOddity(.nameOutsideModule, entry: name))
        }
        var path = name.dropFirst(prefix.count)
        let isFolder = path.isEmpty || path.last == UInt8(ascii: "/")
        if isFolder {
            oddities.add(ZipOddity(.directoryEntry, entry: name))
            path = path.dropLast()
            if path.isEmpty { return }
        }
        for element in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if let violation = PathElementRules.violation(in: element, kind: .fileName) {
                return oddities.add(ZipOddity(.forbiddenName(reason: violation.description), entry: name))
            }
        }
        let text = String(decoding: path, as: UTF8.self)
        if let other = collision(of: text, isFolder: isFolder) {
            return oddities.add(ZipOddity(.collision(with: other), entry: name))
        }
        if isFolder { return }
        let base = path.suffix(6)
        if base.map(ASCII.lowercased).elementsEqual("go.mod".utf8),
            path.count == 6 || path.dropLast(6).last == UInt8(ascii: "/"),
            text != "go.mod"
        {
            oddities.add(ZipOddity(.misplacedGoMod, entry: name))
        }
        if text == "go.mod" || text == "LICENSE", unpacked > limits.rootFileByteCount {
            oddities.add(ZipOddity(.rootFileTooLarge, entry: name))
        }
    }

    private mutating func collision(of path: String, isFolder: Bool) -> String? {
        var path = path
        var isFolder = isFolder
        while true {
            let folded = Self.fold(path)
            if let other = seen[folded] {
                // A folder that is known has known parents.
                return other.path == path && other.isFolder && isFolder ? nil : other.path
            }
            seen[folded] = (path, isFolder)
            guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
            path = String(path[..<slash])
            isFolder = true
        }
    }

    /// One text for all that differ by letter case only.
    private static func fold(_ path: String) -> String {
        if path.utf8.allSatisfy({ $0 < 0x80 }) {
            return String(decoding: path.utf8.map(ASCII.lowercased), as: UTF8.self)
        }
        var folded = String.UnicodeScalarView()
        for scalar in path.unicodeScalars {
            for upper in scalar.properties.uppercaseMapping.unicodeScalars {
                folded.append(contentsOf: upper.properties.lowercaseMapping.unicodeScalars)
            }
        }
        return String(folded)
    }
}
