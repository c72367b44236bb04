import EdgeNode
import Foundation
import Logging
import ProxyFront
import Testing

@Suite("The audit log")
struct FileAuditLogTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func open(_ folder: TemporaryFolder, maximum: Int64 = 1 << 20, keep: Int = 3) throws
        -> FileAuditLog
    {
        try FileAuditLog(
            path: folder.path + "/audit.log", maximum: maximum, keep: keep, logger: Self.quiet)
    }

    @Test("holds one JSON object a line with what was decided")
    func lines() throws {
        let folder = try TemporaryFolder()
        let log = try open(folder)
        log.record(
            AuditEvent(
                .deny, "example.com/m@v1.0.0", client: "192.0.2.1", reason: "excluded by \"example.com\"\n",
                origin: "proxy.golang.org", digest: "h1:abc="))
        log.record(AuditEvent(.pin, "go/*"))
        log.close()
        let lines = try folder.read("audit.log").split(separator: "\n")
        #expect(lines.count == 2)
        let first = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: String])
        #expect(first["action"] == "deny")
        #expect(first["subject"] == "example.com/m@v1.0.0")
        #expect(first["client"] == "192.0.2.1")
        #expect(first["reason"] == "excluded by \"example.com\"\n")
        #expect(first["origin"] == "proxy.golang.org")
        #expect(first["digest"] == "h1:abc=")
        #expect(first["time"]?.hasSuffix("Z") == true)
        let second = try #require(
            try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: String])
        #expect(Set(second.keys) == ["time", "action", "subject"])
    }

    @Test("belongs to its owner alone, and is closed to others when it was open to them")
    func mode() throws {
        let folder = try TemporaryFolder()
        try open(folder).close()
        #expect(try folder.mode("audit.log") == 0o600)
        let other = try TemporaryFolder()
        _ = try other.write("{}\n", to: "audit.log", mode: 0o644)
        try open(other).close()
        #expect(try other.mode("audit.log") == 0o600)
        #expect(try other.read("audit.log") == "{}\n")
    }

    @Test("is appended to after a restart")
    func restart() throws {
        let folder = try TemporaryFolder()
        for subject in ["a", "b"] {
            let log = try open(folder)
            log.record(AuditEvent(.allow, subject))
            log.close()
        }
        #expect(try folder.read("audit.log").split(separator: "\n").count == 2)
    }

    @Test("is rotated by size: no line is split or lost, and only so many files are kept")
    func rotation() throws {
        let folder = try TemporaryFolder()
        let log = try open(folder, maximum: 1000, keep: 2)
        for number in 0..<100 { log.record(AuditEvent(.allow, "example.com/module@v1.0.\(number)")) }
        log.close()
        #expect(try folder.contents == ["audit.log", "audit.log.1", "audit.log.2"])
        var subjects: [String] = []
        for name in ["audit.log.2", "audit.log.1", "audit.log"] {
            let text = try folder.read(name)
            #expect(text.utf8.count <= 1000)
            #expect(text.hasSuffix("\n"))
            #expect(try folder.mode(name) == 0o600)
            for line in text.split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
                subjects.append(object?["subject"] ?? "")
            }
        }
        // What is left is the newest run, without a gap.
        let numbers = subjects.compactMap { $0.split(separator: ".").last.flatMap { Int($0) } }
        #expect(numbers.count > 10)
        #expect(numbers == Array((100 - numbers.count)..<100))
    }

    @Test("keeps no old file when told so, and writes a line longer than its limit whole")
    func keepNone() throws {
        let folder = try TemporaryFolder()
        let log = try open(folder, maximum: 100, keep: 0)
        log.record(AuditEvent(.allow, String(repeating: "a", count: 500)))
        log.record(AuditEvent(.allow, "b"))
        log.close()
        #expect(try folder.contents == ["audit.log"])
        #expect(try folder.read("audit.log").contains("\"b\""))
    }

    @Test("is begun anew when somebody has taken it away")
    func takenAway() throws {
        let folder = try TemporaryFolder()
        let log = try open(folder, maximum: 500)
        for number in 0..<30 {
            log.record(AuditEvent(.allow, "example.com/module@v1.0.\(number)"))
            log.flush()
            if number == 3 { try FileManager.default.removeItem(atPath: folder.path + "/audit.log") }
        }
        log.close()
        let text = try folder.read("audit.log.1") + folder.read("audit.log")
        #expect(text.contains("v1.0.29\""))
        #expect(text.utf8.count > 500)
    }

    @Test("grows rather than losing what cannot be moved away")
    func stuck() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("", to: "audit.log", mode: 0o600)
        // The same file under the name that it is to get: to rename it does nothing.
        let path = folder.path + "/audit.log"
        try FileManager.default.linkItem(atPath: path, toPath: path + ".1")
        let log = try open(folder, maximum: 300, keep: 1)
        for number in 0..<20 { log.record(AuditEvent(.allow, "example.com/module@v1.0.\(number)")) }
        log.close()
        #expect(try folder.read("audit.log").split(separator: "\n").count == 20)
    }

    @Test("is refused where it cannot be written, or when it is not a file")
    func refused() throws {
        let folder = try TemporaryFolder()
        for path in [folder.path, folder.path + "/none/audit.log"] {
            let error = try #require(throws: RotatingFileError.self) {
                try FileAuditLog(path: path, maximum: 1000, keep: 1, logger: Self.quiet)
            }
            #expect(error.description.contains(path))
        }
    }
}
