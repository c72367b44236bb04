/// Why a go.sum or go.mod file cannot be read.
public struct GoFileError: Error, Equatable, CustomStringConvertible {
    public let file: String
    /// Counted from 1.
    public let line: Int
    public let reason: String

    public var description: String { "\(file):\(line): \(reason)" }
}

/// One line of a go.sum file or of a checksum database's record: `<module> <version>[/go.mod] <hash>`.
public struct GoSumLine: Hashable, Sendable, CustomStringConvertible {
    /// What the hash is of.
    public enum Subject: Hashable, Sendable {
        case zip
        case goMod
    }

    public let module: ModuleIdentity
    public let subject: Subject
    public let hash: ModuleHash

    public init(module: ModuleIdentity, subject: Subject, hash: ModuleHash) {
        self.module = module
        self.subject = subject
        self.hash = hash
    }

    public var description: String {
        "\(module.path.text) \(module.version.text)\(subject == .goMod ? "/go.mod" : "") \(hash)"
    }

    /// Reads one line without its line feed; nil when its hash is of an algorithm other than `h1`.
    ///
    /// - Throws: what is wrong with it, as a sentence without the line's place.
    init?(parsing line: some StringProtocol) throws(GoSumSyntaxError) {
        let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
        guard fields.count == 3 else {
            throw GoSumSyntaxError("it has \(fields.count) fields, not <module> <version> <hash>")
        }
        var version = Substring(fields[1])
        let isGoMod = version.hasSuffix("/go.mod")
        if isGoMod { version = version.dropLast("/go.mod".count) }
        let module: ModuleIdentity
        do {
            module = ModuleIdentity(
                path: try ModulePath(String(fields[0])), version: try ModuleVersion(version))
        } catch {
            throw GoSumSyntaxError("\(error)")
        }
        guard fields[2].hasPrefix("h1:") else {
            guard fields[2].contains(":") else {
                throw GoSumSyntaxError("\(QuotedText(fields[2])) is not a hash")
            }
            return nil
        }
        guard let hash = ModuleHash(fields[2]) else {
            throw GoSumSyntaxError("\(QuotedText(fields[2])) is not an h1 hash")
        }
        self.init(module: module, subject: isGoMod ? .goMod : .zip, hash: hash)
    }
}

/// What is wrong with a line, without its place.
struct GoSumSyntaxError: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// A go.sum file (golang.org/ref/mod, "go.sum files").
public struct GoSum: Sendable {
    /// The largest file read, in bytes.
    public static let maximumByteCount = 64 << 20

    /// In the file's order, repetitions included; hashes other than `h1` are left out.
    public let lines: [GoSumLine]

    /// - Parameters:
    ///   - text: the whole file; empty lines are skipped.
    ///   - file: its name, for errors.
    /// - Throws: `GoFileError` naming the first line that is not a go.sum line.
    public init(parsing text: String, file: String = "go.sum") throws(GoFileError) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw GoFileError(file: file, line: 1, reason: "the file is larger than 64 MiB")
        }
        var lines: [GoSumLine] = []
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { continue }
            do {
                if let line = try GoSumLine(parsing: Substring(line)) { lines.append(line) }
            } catch {
                throw GoFileError(file: file, line: index + 1, reason: error.reason)
            }
        }
        self.lines = lines
    }

    /// The sums that the file gives for one file of a module; several when it was retagged upstream.
    public func hashes(of module: ModuleIdentity, _ subject: GoSumLine.Subject) -> [ModuleHash] {
        lines.filter { $0.module == module && $0.subject == subject }.map(\.hash)
    }

    /// Every module version whose zip (not only its go.mod) is summed, in the file's order, each once.
    public var modulesWithZips: [ModuleIdentity] { Self.unique(lines.filter { $0.subject == .zip }) }

    /// Every module version that is named, in the file's order, each once.
    public var modules: [ModuleIdentity] { Self.unique(lines) }

    private static func unique(_ lines: [GoSumLine]) -> [ModuleIdentity] {
        var seen: Set<ModuleIdentity> = []
        return lines.map(\.module).filter { seen.insert($0).inserted }
    }
}
