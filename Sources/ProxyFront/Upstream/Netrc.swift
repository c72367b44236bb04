/// User names and passwords by host, as in the file `~/.netrc` (format of ftp(1), read by curl, git and the
/// go command).
///
/// `default` entries are not used: a password that fits every host would follow every redirect.
public struct Netrc: Sendable, Equatable {
    public struct Login: Sendable, Equatable {
        public let user: String
        public let password: String
    }

    private var logins: [String: Login] = [:]

    /// The largest file that is read, in bytes.
    public static let maximumByteCount = 1 << 20

    public init() {}

    /// Reads every complete `machine` entry; an entry without login or password is skipped, as the go
    /// command does. The first entry for a host wins.
    /// - Throws: `NetrcError` for a word where a keyword belongs, or a keyword without its value.
    public init(parsing text: String) throws(NetrcError) {
        var words: [(text: Substring, line: Int)] = []
        var inMacro = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let parts = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            if inMacro {
                // A macro definition ends at the first empty line.
                inMacro = !parts.isEmpty
                continue
            }
            for part in parts {
                if part.hasPrefix("#") { break }
                if part == "macdef" {
                    inMacro = true
                    break
                }
                words.append((part, index + 1))
            }
        }
        try read(words)
    }

    private mutating func read(_ words: [(text: Substring, line: Int)]) throws(NetrcError) {
        var machine: String?
        var user: String?
        var password: String?
        var position = 0

        func value(_ words: [(text: Substring, line: Int)], _ position: inout Int) throws(NetrcError)
            -> String
        {
            let keyword = words[position]
            guard position + 1 < words.count else {
                throw NetrcError(line: keyword.line, reason: "\"\(keyword.text)\" has no value")
            }
            position += 1
            return String(words[position].text)
        }

        while position < words.count {
            let word = words[position]
            switch word.text {
            case "machine":
                add(machine, user, password)
                machine = try value(words, &position).lowercased()
                (user, password) = (nil, nil)
            case "default":
                add(machine, user, password)
                (machine, user, password) = (nil, nil, nil)
            case "login": user = try value(words, &position)
            case "password": password = try value(words, &position)
            case "account": _ = try value(words, &position)
            default:
                throw NetrcError(
                    line: word.line,
                    reason: "machine, default, login, password, account or macdef belongs here")
            }
            position += 1
        }
        add(machine, user, password)
    }

    private mutating func add(_ machine: String?, _ user: String?, _ password: String?) {
        guard let machine, let user, let password, logins[machine] == nil else { return }
        logins[machine] = Login(user: user, password: password)
    }

    public func login(for host: String) -> Login? { logins[host.lowercased()] }
}

/// What is wrong with a netrc file, and where. The offending word is not shown: it may be a password.
public struct NetrcError: Error, Equatable, CustomStringConvertible {
    public let line: Int
    public let reason: String

    public var description: String { "netrc line \(line): \(reason)" }
}
