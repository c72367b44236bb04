import Content
import Foundation
import ProxyFront

/// A module version made up for a test, its zip of entries that are stored as they are.
struct TestModule: Sendable {
    let path: String
    let version: String
    /// Of the files below `module@version/`.
    let files: [(name: String, text: String)]

    init(_ path: String, _ version: String, _ extra: String = "package m\n") {
        self.path = path
        self.version = version
        files = [("go.mod", "module \(path)\n\ngo 1.19\n"), ("m.go", extra)]
    }

    var name: String { "\(path)@\(version)" }
    var mod: [UInt8] { Array(files[0].text.utf8) }
    var info: [UInt8] { Array("{\"Version\":\"\(version)\",\"Time\":\"2024-01-02T03:04:05Z\"}".utf8) }

    var h1: String {
        // The one test of the sum itself is elsewhere; here it is what the node works out of the same bytes.
        let lines = files.sorted { $0.name < $1.name }.map {
            "\(Digest(of: Array($0.text.utf8)).hex)  \(name)/\($0.name)\n"
        }
        return "h1:" + Data(Digest(of: Array(lines.joined().utf8)).bytes).base64EncodedString()
    }

    /// The files by their paths in a tree of the module proxy protocol; paths without upper-case letters only.
    var tree: [String: [UInt8]] {
        let base = "\(path)/@v/\(version)"
        return ["\(base).info": info, "\(base).mod": mod, "\(base).zip": zip]
    }

    var zip: [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(value >> ($0 * 8) & 0xff) }
        }
        for (entry, text) in files {
            let full = Array("\(name)/\(entry)".utf8)
            let body = Array(text.utf8)
            let middle =
                number(20, 2) + number(0, 2) + number(0, 2) + number(0, 4) + number(Int(Self.crc(body)), 4)
                + number(body.count, 4) + number(body.count, 4) + number(full.count, 2) + number(0, 2)
            directory +=
                [0x50, 0x4b, 1, 2] + number(20, 2) + middle + number(0, 2) + number(0, 2) + number(0, 2)
                + number(0, 4) + number(bytes.count, 4) + full
            bytes += [0x50, 0x4b, 3, 4] + middle + full + body
        }
        return bytes + directory + [0x50, 0x4b, 5, 6] + number(0, 4) + number(files.count, 2)
            + number(files.count, 2) + number(directory.count, 4) + number(bytes.count, 4) + number(0, 2)
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
