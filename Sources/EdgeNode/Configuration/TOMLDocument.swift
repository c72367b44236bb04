import TOMLKit

/// A value of a configuration document, with the line it stands on.
struct TOMLNode {
    enum Value {
        case string(String)
        case integer(Int)
        case number(Double)
        case flag(Bool)
        case date
        case list([TOMLNode])
        case table([String: TOMLNode])

        /// What a person calls this kind of value.
        var kind: String {
            switch self {
            case .string: "a string"
            case .integer: "a whole number"
            case .number: "a number"
            case .flag: "true or false"
            case .date: "a date"
            case .list: "a list"
            case .table: "a table"
            }
        }
    }

    var value: Value
    /// Counted from 1; nil when the document gives none.
    var line: Int?

    /// Parses a whole document into its top table.
    /// - Throws: a `ConfigurationIssue` with the line of the first mistake of syntax.
    static func parse(_ text: String) throws(ConfigurationIssue) -> TOMLNode {
        // The parser takes a C string: what follows a zero byte would be lost without a word.
        if let zero = text.utf8.firstIndex(of: 0) {
            let line = text.utf8[..<zero].count { $0 == UInt8(ascii: "\n") } + 1
            throw ConfigurationIssue(.line(line), key: "", "holds a zero byte; is this a text file?")
        }
        let document: TOMLTable
        do {
            document = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw ConfigurationIssue(.line(error.source.begin.line), key: "", error.description)
        } catch {
            throw ConfigurationIssue(.document, key: "", "\(error)")
        }
        let positions = TOMLPositions(scanning: text)
        return TOMLNode(value: convert(document.tomlValue, at: [], positions), line: 1)
    }

    private static func convert(_ value: TOMLValue, at path: [String], _ positions: TOMLPositions) -> Value {
        switch value.type {
        case .string: return .string(value.string ?? "")
        case .int: return .integer(value.int ?? 0)
        case .double: return .number(value.double ?? 0)
        case .bool: return .flag(value.bool ?? false)
        case .date, .time, .dateTime: return .date
        case .array:
            var nodes: [TOMLNode] = []
            for (index, element) in (value.array ?? []).enumerated() {
                nodes.append(node(element.tomlValue, at: path + [String(index)], positions))
            }
            return .list(nodes)
        case .table:
            var nodes: [String: TOMLNode] = [:]
            for (key, element) in value.table ?? [:] {
                nodes[key] = node(element.tomlValue, at: path + [key], positions)
            }
            return .table(nodes)
        }
    }

    private static func node(_ value: TOMLValue, at path: [String], _ positions: TOMLPositions) -> TOMLNode {
        TOMLNode(value: convert(value, at: path, positions), line: positions.line(of: path))
    }
}
