import EdgeNode
import Foundation
import Testing

@Suite("Tar archives, read for what stands where")
struct TarIndexTests {
    private func index(_ bytes: [UInt8]) throws -> TarIndex {
        try TarIndex(byteCount: Int64(bytes.count)) { offset, count in
            guard offset >= 0, count >= 0, Int(offset) + count <= bytes.count else {
                throw TarError.outside
            }
            return Array(bytes[Int(offset)..<Int(offset) + count])
        }
    }

    private func text(_ path: String, in index: TarIndex, of bytes: [UInt8]) throws -> String {
        let range = try #require(index.file(path))
        return String(decoding: bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self)
    }

    @Test("of every kind that tar writes are read", arguments: ["ustar", "pax", "gnu", "oldgnu", "v7"])
    func real(format: String) async throws {
        let folder = try TemporaryFolder()
        let long = (0..<12).map { _ in "a-rather-long-folder-name" }.joined(separator: "/")
        let deep = format == "pax" || format.hasSuffix("gnu") ? long : "short"
        try FileManager.default.createDirectory(
            atPath: folder.path + "/in/" + deep, withIntermediateDirectories: true)
        for (name, body) in [
            ("in/plain", "hello"), ("in/empty", ""), ("in/\(deep)/x", String(repeating: "y", count: 1500)),
        ] {
            _ = try folder.write(body, to: name)
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/in/\(deep)/link",
            withDestinationPath: String(repeating: "../", count: deep.split(separator: "/").count) + "plain")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/in/out", withDestinationPath: "/etc/passwd")
        let result = try await ChildProcess.run(
            "/usr/bin/tar",
            ["-C", folder.path + "/in", "--format", format, "-cf", folder.path + "/a.tar", "."])
        try #require(result.status == 0, "\(result.errors)")
        let bytes = Array(try #require(FileManager.default.contents(atPath: folder.path + "/a.tar")))
        #expect(TarIndex.isTar(Array(bytes.prefix(512))))
        let index = try index(bytes)
        #expect(try text("plain", in: index, of: bytes) == "hello")
        #expect(try text("empty", in: index, of: bytes) == "")
        #expect(try text("\(deep)/x", in: index, of: bytes) == String(repeating: "y", count: 1500))
        #expect(try text("\(deep)/link", in: index, of: bytes) == "hello")
        #expect(index.file("out") == nil)
    }

    static let hostile: [(String, TestTar)] = [
        ("a path above", TestTar().file("../evil", "x")),
        ("a path above, further in", TestTar().file("a/../../evil", "x")),
        ("an absolute path", TestTar().file("/etc/evil", "x")),
        ("an empty name", TestTar().file("", "x")),
        ("a name of dots", TestTar().file("./.", "x")),
        ("a pax path above", TestTar().pax(["path": "../evil"]).file("fine", "x")),
        ("a GNU long name above", TestTar().long("L", "../evil").file("fine", "x")),
        ("a link with a path above", TestTar().entry("../evil", kind: "2", link: "fine")),
        ("a size that lies", TestTar().file("a", "x", size: "77777777777")),
        ("a size that is none", TestTar().file("a", "x", size: "9x")),
        (
            "a negative size",
            TestTar().file("a", "x", binarySize: [0xff] + [UInt8](repeating: 0xff, count: 11))
        ),
        (
            "a size beyond all numbers",
            TestTar().file("a", "x", binarySize: [0x80] + [UInt8](repeating: 0xff, count: 11))
        ),
        ("a pax size that lies", TestTar().pax(["size": "9223372036854775807"]).file("a", "x")),
        ("a pax size that is none", TestTar().pax(["size": "-1"]).file("a", "x")),
        ("a damaged pax record", TestTar().entry("x", kind: "x", body: "99 path=a\n").file("a", "x")),
        ("a pax record of no length", TestTar().entry("x", kind: "x", body: "0 a=\n").file("a", "x")),
        ("a sparse file", TestTar().pax(["GNU.sparse.major": "1"]).file("a", "x")),
        ("a wrong checksum", TestTar().file("a", "x", checksum: "000001")),
    ]

    @Test("that are hostile are refused as a whole", arguments: hostile.map(\.0))
    func refused(what: String) throws {
        let tar = try #require(Self.hostile.first { $0.0 == what }).1
        #expect(throws: TarError.self) { try index(tar.bytes) }
    }

    @Test("do not lead out of themselves by their links, nor round in circles")
    func links() throws {
        let tar = TestTar().file("a", "x").entry("up", kind: "2", link: "../../etc/passwd")
            .entry("abs", kind: "2", link: "/a").entry("one", kind: "2", link: "two").entry(
                "two", kind: "2", link: "one"
            )
            .entry("hard", kind: "1", link: "a").entry("dangling", kind: "1", link: "b")
            .entry("dev", kind: "3")
        let index = try index(tar.bytes)
        for name in ["up", "abs", "one", "two", "dangling", "dev"] {
            #expect(index.file(name) == nil, "\(name)")
        }
        #expect(index.file("hard") == index.file("a"))
    }

    @Test("with any bit turned are refused or describe ranges within themselves")
    func flipped() throws {
        let tar = TestTar().pax(["path": "long"]).file("a", "hello").long("L", "b").file("c", "world")
            .entry("l", kind: "2", link: "b")
        for position in tar.bytes.indices {
            for bit in [0, 3, 7] {
                var bytes = tar.bytes
                bytes[position] ^= 1 << bit
                guard let index = try? index(bytes) else { continue }
                for path in index.entries.keys {
                    #expect(!path.hasPrefix("/") && !path.split(separator: "/").contains(".."))
                    guard let range = index.file(path) else { continue }
                    #expect(range.lowerBound >= 0 && range.upperBound <= Int64(bytes.count))
                }
            }
        }
    }

    @Test("cut anywhere are refused or end where an entry ends")
    func truncated() throws {
        let bytes = TestTar().file("a", "hello").file("b", String(repeating: "z", count: 1000)).bytes
        for count in stride(from: 0, to: bytes.count, by: 37) {
            guard let index = try? index(Array(bytes[..<count])) else { continue }
            for path in index.entries.keys {
                #expect(try #require(index.file(path)).upperBound <= Int64(count))
            }
        }
    }
}

extension TarError {
    fileprivate static var outside: any Error { CocoaError(.fileReadUnknown) }
}
