import EdgeNode
import Foundation
import Logging
import Testing

@Suite("Log lines")
struct LogFormatTests {
    static let time = Date(timeIntervalSince1970: 1_769_846_400.0625)

    private func line(
        _ style: LogFormat.Style, _ level: Logger.Level = .info, _ message: String = "served",
        _ metadata: [(String, String)] = []
    ) -> String {
        let bytes = LogFormat(style).line(
            time: Self.time, level: level, label: "go", message: message, metadata: metadata)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("for people begin with time and level")
    func human() {
        #expect(line(.human) == "2026-01-31T08:00:00.062Z info    served\n")
        #expect(
            line(
                .human, .warning, "slow", [("module", "example.com/m"), ("why", "two words"), ("empty", "")])
                == "2026-01-31T08:00:00.062Z warning slow module=example.com/m why=\"two words\" empty=\"\"\n"
        )
    }

    @Test("for the journal carry its priority and no time")
    func journal() {
        #expect(line(.journal, .error, "broken") == "<3>broken\n")
        #expect(line(.journal, .debug, "detail", [("a", "b")]) == "<7>detail a=b\n")
    }

    @Test("are one JSON object each, whatever they hold")
    func json() throws {
        let nasty = "quote \" backslash \\ newline \n tab \t bell \u{7} sep \u{2028} ünïcode 🦉"
        let text = line(.json, .notice, nasty, [("key", nasty)])
        #expect(text.filter { $0.isNewline }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String]
        #expect(
            object == [
                "time": "2026-01-31T08:00:00.062Z", "level": "notice", "from": "go", "message": nasty,
                "key": nasty,
            ])
    }

    @Test("are whole however long they are", arguments: [1, 480, 500, 511, 512, 513, 1500, 70_000])
    func long(length: Int) throws {
        for text in [String(repeating: "a", count: length), String(repeating: "\"é", count: length)] {
            let line = line(.json, .notice, "m", [("key", text), ("after", "it")])
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            #expect(object?["key"] == text)
            #expect(object?["after"] == "it")
            #expect(line.hasSuffix("}\n"))
        }
    }

    @Test("give back every byte of ASCII, wherever it is", arguments: [0, 15, 16, 38])
    func everyByte(place: Int) throws {
        for byte in UInt8.min...0x7F {
            var bytes = Array(repeating: UInt8(ascii: "a"), count: 39)
            bytes[place] = byte
            let value = String(decoding: bytes, as: UTF8.self)
            let text = line(.json, .notice, "m", [("key", value)])
            #expect(text.unicodeScalars.filter { $0.properties.generalCategory == .control } == ["\n"])
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String]
            #expect(object?["key"] == value)
        }
    }

    @Test("cannot be forged or made to move the cursor by what clients send")
    func controlCharacters() {
        let text = line(.human, .info, "GET /\u{1b}[2J\r\nfake", [("path", "a\nb\u{7f}")])
        #expect(text.filter { $0.isNewline }.count == 1)
        #expect(text.unicodeScalars.dropLast().allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test(
        "hold the right date",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400.5, "2000-02-29T00:00:00.500Z"),
            (4_102_444_799.999, "2099-12-31T23:59:59.999Z"),
        ] as [(Double, String)])
    func dates(seconds: Double, text: String) {
        #expect(Timestamp.text(Date(timeIntervalSince1970: seconds)) == text)
    }
}

@Suite("The node's log output")
struct LogOutputTests {
    @Test("writes what is important enough, with the logger's own fields and the event's, sorted")
    func levels() {
        let sink = CollectingSink()
        let output = LogOutput(format: LogFormat(.journal), level: .info, sink: sink)
        var logger = output.logger("go")
        logger[metadataKey: "z"] = "1"
        logger.debug("unseen")
        logger.info("seen", metadata: ["a": "2"])
        output.flush()
        #expect(sink.text == "<6>seen a=2 z=1\n")
    }

    @Test("remembers the newest alarms")
    func alarms() {
        let output = LogOutput(format: LogFormat(.journal), level: .info, sink: CollectingSink())
        let logger = output.logger("go")
        logger.error("no alarm")
        for number in 0..<25 { logger.critical("alarm \(number)") }
        #expect(output.alarms.count == 20)
        #expect(output.alarms.first?.hasSuffix("alarm 5") == true)
        #expect(output.alarms.last?.hasSuffix("alarm 24") == true)
    }

    @Test("follows a change of its level in loggers that exist already")
    func change() {
        let sink = CollectingSink()
        let output = LogOutput(format: LogFormat(.journal), level: .error, sink: sink)
        let logger = output.logger("go")
        logger.warning("unseen")
        output.level = .debug
        logger.debug("seen")
        output.level = .warning
        logger.info("unseen")
        output.flush()
        #expect(sink.text == "<7>seen\n")
    }
}
