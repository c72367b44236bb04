/// Why a value cannot be what its key asks for; the reader adds key and position.
struct BadSetting: Error {
    var message: String

    init(_ message: String) { self.message = message }
}

/// What a key holds: how its value is read from the document, and how from an environment variable.
struct SettingKind<Value> {
    /// The value that a node of the document means.
    var read: (TOMLNode.Value) throws(BadSetting) -> Value
    /// The node that the text of an environment variable means.
    var node: (String) -> TOMLNode.Value = { .string($0) }

    /// The same kind with one more step, which may refuse.
    func map<Other>(_ step: @escaping (Value) throws(BadSetting) -> Other) -> SettingKind<Other> {
        SettingKind<Other>(
            read: { [read] (value: TOMLNode.Value) throws(BadSetting) -> Other in try step(try read(value)) },
            node: node)
    }
}

extension SettingKind where Value == String {
    static var string: SettingKind {
        SettingKind { (value: TOMLNode.Value) throws(BadSetting) -> String in
            guard case .string(let text) = value else {
                throw BadSetting("must be a string in quotes, not \(value.kind)")
            }
            return text
        }
    }
}

extension SettingKind where Value == String? {
    /// A file or folder by its absolute path; the empty string is nil.
    static var path: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> String? in
            if text.isEmpty { return nil }
            guard text.hasPrefix("/") else {
                throw BadSetting("\"\(text)\" must be an absolute path, beginning with \"/\"")
            }
            return text
        }
    }
}

extension SettingKind where Value == [String] {
    /// Files by their absolute paths.
    static var paths: SettingKind {
        strings.map { (texts: [String]) throws(BadSetting) -> [String] in
            for text in texts where !text.hasPrefix("/") {
                throw BadSetting("\"\(text)\" must be an absolute path, beginning with \"/\"")
            }
            return texts
        }
    }

    /// A list of strings; one string alone is a list of one. In the environment, commas separate.
    static var strings: SettingKind {
        SettingKind(
            read: { (value: TOMLNode.Value) throws(BadSetting) -> [String] in
                if case .string(let text) = value { return [text] }
                guard case .list(let nodes) = value else {
                    throw BadSetting("must be a list of strings, such as [\"a\", \"b\"], not \(value.kind)")
                }
                var texts: [String] = []
                for node in nodes {
                    guard case .string(let text) = node.value else {
                        throw BadSetting("must hold strings only, not \(node.value.kind)")
                    }
                    texts.append(text)
                }
                return texts
            },
            node: { text in
                .list(
                    text.split(separator: ",").map { part in
                        TOMLNode(value: .string(part.trimmingSpaces()), line: nil)
                    })
            })
    }
}

extension SettingKind where Value == Bool {
    static var flag: SettingKind {
        SettingKind(
            read: { (value: TOMLNode.Value) throws(BadSetting) -> Bool in
                guard case .flag(let flag) = value else { throw BadSetting("must be true or false") }
                return flag
            },
            node: { $0 == "true" ? .flag(true) : $0 == "false" ? .flag(false) : .string($0) })
    }
}

extension SettingKind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> SettingKind {
        SettingKind(
            read: { (value: TOMLNode.Value) throws(BadSetting) -> Int in
                guard case .integer(let number) = value else {
                    throw BadSetting("must be a whole number, not \(value.kind)")
                }
                guard range.contains(number) else {
                    throw BadSetting(
                        "\(number) is out of range; use \(range.lowerBound) to \(range.upperBound)")
                }
                return number
            },
            node: { text in Int(text).map { .integer($0) } ?? .string(text) })
    }
}

extension SettingKind where Value == Double {
    /// A share of a whole, above 0 and at most 1.
    static var fraction: SettingKind {
        SettingKind(
            read: { (value: TOMLNode.Value) throws(BadSetting) -> Double in
                let number: Double
                switch value {
                case .number(let found): number = found
                case .integer(let found): number = Double(found)
                default: throw BadSetting("must be a number such as 0.9, not \(value.kind)")
                }
                guard number > 0, number <= 1 else {
                    throw BadSetting("\(number) is out of range; use a share above 0 and at most 1")
                }
                return number
            },
            node: { text in Double(text).map { .number($0) } ?? .string(text) })
    }
}

extension SettingKind where Value == Int64 {
    /// A size in bytes; whole numbers count bytes.
    static func size(_ range: ClosedRange<Int64> = 0...Int64.max) -> SettingKind {
        SettingKind { (value: TOMLNode.Value) throws(BadSetting) -> Int64 in
            let bytes: Int64
            switch value {
            case .integer(let number): bytes = Int64(number)
            case .string(let text):
                bytes = try parsed { () throws(QuantityError) in try ByteSize.parse(text) }
            default: throw BadSetting("must be a size such as \"50 GiB\", not \(value.kind)")
            }
            guard range.contains(bytes) else {
                let upper = range.upperBound == .max ? "" : " and at most \(ByteSize.text(range.upperBound))"
                throw BadSetting(
                    "\(ByteSize.text(bytes)) is out of range; use at least \(ByteSize.text(range.lowerBound))\(upper)"
                )
            }
            return bytes
        }
    }
}

extension SettingKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> SettingKind {
        SettingKind { (value: TOMLNode.Value) throws(BadSetting) -> Duration in
            let span: Duration
            switch value {
            case .integer(let number):
                guard number == 0 else {
                    throw BadSetting(
                        "\(number) has no unit; write \"\(number)s\" in quotes if you mean seconds")
                }
                span = .zero
            case .string(let text):
                span = try parsed { () throws(QuantityError) in try DurationText.parse(text) }
            default: throw BadSetting("must be a span of time such as \"60s\", not \(value.kind)")
            }
            guard range.contains(span) else {
                throw BadSetting(
                    "\(DurationText.text(span)) is out of range; use \(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound))"
                )
            }
            return span
        }
    }
}

extension SettingKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> Value in
            guard let value = Value(rawValue: text) else {
                let words = Value.allCases.map { "\"\($0.rawValue)\"" }
                throw BadSetting("\"\(text)\" is not one of \(words.joined(separator: ", "))")
            }
            return value
        }
    }
}

extension SettingKind {
    /// One of a few words, where none of them is the default.
    static func optionalChoice<Choice: RawRepresentable & CaseIterable>() -> SettingKind
    where Choice.RawValue == String, Value == Choice? {
        SettingKind<Choice>.choice.map { (choice: Choice) -> Choice? in choice }
    }
}

extension StringProtocol {
    func trimmingSpaces() -> String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
