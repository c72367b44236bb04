import EdgeNode
import Foundation
import Testing

@Suite("cluster.example.toml")
struct ExampleFileTests {
    static let text: String = {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let file = folder.appendingPathComponent("cluster.example.toml")
            if let text = try? String(contentsOf: file, encoding: .utf8) { return text }
        }
        return ""
    }()

    /// The example with its settings that have no default: lines that begin with `#key` or `#[`.
    static let complete =
        text
        .split(separator: "\n", omittingEmptySubsequences: false)
        .map { line -> Substring in
            guard line.first == "#", let next = line.dropFirst().first, next != " " else { return line }
            return line.dropFirst()
        }
        .joined(separator: "\n")

    static let environment = ["HOME": "/home/me"]

    @Test("is found")
    func found() { #expect(Self.text.contains("[node]")) }

    @Test("holds the defaults")
    func defaults() throws {
        let example = try Configuration.parse(Self.text, environment: Self.environment)
        let nothing = try Configuration.parse("", environment: Self.environment)
        #expect(example.configuration == nothing.configuration)
    }

    @Test("mentions every key that can be set, and no other")
    func everyKey() throws {
        // Parsing proves that nothing else is mentioned: unknown keys are errors.
        let keys = try Configuration.parse(Self.complete, environment: Self.environment).keys
        #expect(keys.count > 40)
        #expect(keys.contains("go.upstream.password_file"))
    }

    @Test("mentions each key under its own section")
    func sections() throws {
        var section = ""
        var mentioned: Set<String> = []
        for line in Self.complete.split(separator: "\n") {
            if line.hasPrefix("[") { section = String(line.filter { $0 != "[" && $0 != "]" }) }
            guard let equals = line.range(of: " = "), line.first?.isLetter == true else { continue }
            mentioned.insert("\(section).\(line[..<equals.lowerBound])")
        }
        let keys = try Configuration.parse(Self.complete, environment: Self.environment).keys
        #expect(Set(keys).subtracting(mentioned).isEmpty)
        #expect(mentioned.subtracting(keys).isEmpty)
    }

    @Test("says in a comment above each key what it is")
    func comments() {
        let lines = Self.text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.hasPrefix("[") && !line.hasPrefix("[[") {
            #expect(lines[index + 1].hasPrefix("# "), "\(line) opens without a comment")
        }
    }
}
