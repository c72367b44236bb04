/// What a go.mod file asks for (golang.org/ref/mod, "go.mod files"): as much of it as choosing what to fetch
/// needs. Directives that are not known are skipped, as the go command does in a dependency's go.mod.
public struct GoModFile: Sendable {
    public struct Requirement: Hashable, Sendable {
        public let path: ModulePath
        /// A canonical version, or a query the go command would still resolve.
        public let version: VersionQuery
        /// Whether it is marked `// indirect`.
        public let isIndirect: Bool
        /// Counted from 1.
        public let line: Int
    }

    public struct Replacement: Hashable, Sendable {
        public enum Target: Hashable, Sendable {
            case module(ModulePath, VersionQuery)
            case directory(String)
        }
        public let path: ModulePath
        /// Nil when every version is replaced.
        public let version: VersionQuery?
        public let target: Target
    }

    public private(set) var module: String?
    /// The `go` directive's version, such as `1.26.0`.
    public private(set) var goVersion: String?
    /// The `toolchain` directive's name, such as `go1.26.6`.
    public private(set) var toolchain: String?
    public private(set) var requirements: [Requirement] = []
    public private(set) var replacements: [Replacement] = []

    /// - Throws: `GoFileError` naming the first line that cannot be read.
    public init(parsing text: String, file: String = "go.mod") throws(GoFileError) {
        guard text.utf8.count <= 16 << 20 else {
            throw GoFileError(file: file, line: 1, reason: "the file is larger than 16 MiB")
        }
        var block: (verb: String, line: Int)?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let number = index + 1
            do throws(GoSumSyntaxError) {
                var words = try GoModWords(line)
                guard let first = words.words.first else { continue }
                if block != nil, first == ")" {
                    guard words.words.count == 1 else { throw GoSumSyntaxError("nothing may follow a \")\"") }
                    block = nil
                } else if let open = block {
                    try add(open.verb, words, line: number)
                } else if words.words.count == 2, words.words[1] == "(" {
                    block = (first, number)
                } else {
                    words.words.removeFirst()
                    try add(first, words, line: number)
                }
            } catch {
                throw GoFileError(file: file, line: number, reason: error.reason)
            }
        }
        if let open = block {
            throw GoFileError(
                file: file, line: open.line, reason: "the block \"\(open.verb) (\" is not closed")
        }
    }

    /// The modules that building this module needs first of all: its requirements with replacements applied;
    /// those replaced by a directory are left out.
    public var wanted: [(path: ModulePath, version: VersionQuery)] {
        requirements.compactMap { requirement in
            let replacement =
                replacements.last { $0.path == requirement.path && $0.version == requirement.version }
                ?? replacements.last { $0.path == requirement.path && $0.version == nil }
            return switch replacement?.target {
            case nil: (requirement.path, requirement.version)
            case .module(let path, let version): (path, version)
            case .directory: nil
            }
        }
    }

    private mutating func add(_ verb: String, _ line: GoModWords, line number: Int) throws(GoSumSyntaxError) {
        let words = line.words
        switch verb {
        case "module":
            guard words.count == 1 else { throw GoSumSyntaxError("\"module\" takes one path") }
            module = words[0]
        case "go":
            guard words.count == 1 else { throw GoSumSyntaxError("\"go\" takes one version") }
            goVersion = words[0]
        case "toolchain":
            guard words.count == 1 else { throw GoSumSyntaxError("\"toolchain\" takes one name") }
            toolchain = words[0]
        case "require":
            guard words.count == 2 else { throw GoSumSyntaxError("\"require\" takes a path and a version") }
            let (path, version) = try Self.module(words[0], words[1])
            requirements.append(
                Requirement(path: path, version: version, isIndirect: line.isIndirect, line: number))
        case "replace": replacements.append(try Self.replacement(words))
        default: break
        }
    }

    private static func replacement(_ words: [String]) throws(GoSumSyntaxError) -> Replacement {
        guard let arrow = words.firstIndex(of: "=>"), (1...2).contains(arrow),
            (1...2).contains(words.count - arrow - 1)
        else { throw GoSumSyntaxError("\"replace\" reads <path> [<version>] => <path> [<version>]") }
        let new = words[(arrow + 1)...]
        do {
            let path = try ModulePath(words[0])
            let version: VersionQuery? = arrow == 2 ? try VersionQuery(words[1]) : nil
            guard new.count == 2 else {
                let directory = words[arrow + 1]
                guard directory.hasPrefix("./") || directory.hasPrefix("../") || directory.hasPrefix("/")
                else {
                    throw GoSumSyntaxError("the replacement \(QuotedText(directory)) needs a version")
                }
                return Replacement(path: path, version: version, target: .directory(directory))
            }
            let (target, targetVersion) = try module(words[arrow + 1], words[arrow + 2])
            return Replacement(path: path, version: version, target: .module(target, targetVersion))
        } catch let error as GoSumSyntaxError {
            throw error
        } catch {
            throw GoSumSyntaxError("\(error)")
        }
    }

    private static func module(
        _ path: String, _ version: String
    ) throws(GoSumSyntaxError) -> (ModulePath, VersionQuery) {
        do { return (try ModulePath(path), try VersionQuery(version)) } catch {
            throw GoSumSyntaxError("\(error)")
        }
    }
}

/// The words of one line of a go.mod file, comments taken off and quotes undone.
private struct GoModWords {
    var words: [String] = []
    var isIndirect = false

    init(_ line: Substring) throws(GoSumSyntaxError) {
        var rest = line.utf8[...]
        while let byte = rest.first {
            switch byte {
            case 0x20, 0x09, 0x0d: rest.removeFirst()
            case UInt8(ascii: "/") where rest.dropFirst().first == UInt8(ascii: "/"):
                let comment = rest.dropFirst(2).drop { $0 == 0x20 || $0 == 0x09 }
                isIndirect =
                    comment.elementsEqual("indirect".utf8) || comment.starts(with: "indirect;".utf8)
                    || comment.starts(with: "indirect\r".utf8)
                return
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: ","):
                words.append(String(UnicodeScalar(byte)))
                rest.removeFirst()
            case UInt8(ascii: "\""), UInt8(ascii: "`"):
                rest.removeFirst()
                guard let end = rest.firstIndex(of: byte) else {
                    throw GoSumSyntaxError("a quote is not closed")
                }
                let word = rest[..<end]
                guard byte == UInt8(ascii: "`") || !word.contains(UInt8(ascii: "\\")) else {
                    throw GoSumSyntaxError("no path or version needs a backslash in its quotes")
                }
                words.append(String(Substring(word)))
                rest = rest[rest.index(after: end)...]
            default:
                let end = Self.endOfWord(rest)
                words.append(String(Substring(rest[..<end])))
                rest = rest[end...]
            }
        }
    }

    private static func endOfWord(_ text: Substring.UTF8View) -> Substring.UTF8View.Index {
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case 0x20, 0x09, 0x0d, UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
                UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "`"):
                return index
            case UInt8(ascii: "/") where text[index...].starts(with: "//".utf8): return index
            default: index = text.index(after: index)
            }
        }
        return index
    }
}
