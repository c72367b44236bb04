import ProxyFront
import Testing

@Suite struct ZipDirectoryTests {
    private typealias Entry = TestZip.Entry

    private static let files: [Entry] = [
        Entry("example.com/m@v1.0.0/go.mod", "module example.com/m\n"),
        Entry("example.com/m@v1.0.0/a.go", String(repeating: "package a\n", count: 50), .deflated),
        Entry("example.com/m@v1.0.0/b.go", "package b\n", .stored),
    ]

    private func zip(_ change: (inout TestZip) -> Void) -> TestZip {
        var zip = TestZip(Self.files)
        change(&zip)
        return zip
    }

    private func kinds(_ report: ModuleZipReport) -> [ZipOddity.Kind] {
        report.oddities.map(\.kind).filter { if case .readByDirectory = $0 { false } else { true } }
    }

    @Test func `a harmless oddity is read and said`() throws {
        for change in [
            { $0.comment = Array("PK\u{5}x".utf8) }, { $0.entries[2].form = .storedWithDescriptor },
            { $0.entries.swapAt(0, 2) },
        ] as [(inout TestZip) -> Void] {
            let zip = zip(change)
            let report = try ZipReading.whole(zip.build().bytes)
            #expect(report.h1.description == zip.h1)
            #expect(kinds(report).isEmpty && !report.isHostile)
            #expect(report.oddities.count == 1)
        }
    }

    @Test func `hostile layouts are read as clients read them, and flagged`() throws {
        func check(_ expected: ZipOddity.Kind, h1: String? = nil, _ change: (inout TestZip) -> Void) throws {
            let zip = zip(change)
            let report = try ZipReading.whole(zip.build().bytes)
            #expect(report.h1.description == h1 ?? zip.h1)
            #expect(kinds(report).contains(expected) && report.isHostile, "\(report.oddities)")
        }
        try check(.gap) { $0.entries[1].gap = [1, 2, 3] }
        try check(.gap) { $0.entries[1].isHidden = true }
        try check(.gap) { $0.leading = Array("#!/bin/sh\n".utf8) }
        try check(.trailingBytes) { $0.trailing = Array("more".utf8) }
        try check(.unusedBytes) { $0.entries[1].packed = Deflate.packed($0.entries[1].contents) + [0, 1] }
        try check(.headersDisagree) { $0.entries[1].localName = Array("example.com/m@v1.0.0/evil.go".utf8) }
        try check(.overlap) {
            // The third name shows the second one's contents.
            $0.entries[2] = Entry("example.com/m@v1.0.0/c.go", $0.entries[1].contents, .deflated)
            $0.entries[2].centralOffset = UInt32(
                30 + 27 + Deflate.packed(Array("module example.com/m\n".utf8)).count + 16)
        }
    }

    @Test func `of two entries of one name the last one's contents count for both`() throws {
        let zip = zip { $0.entries.append(Entry("example.com/m@v1.0.0/a.go", "other")) }
        let report = try ZipReading.whole(zip.build().bytes)
        let name = Array("example.com/m@v1.0.0/a.go".utf8)
        let expected = Self.files.filter { $0.name != name }.map { ($0.name, $0.contents) }
        let twice = [(name, Array("other".utf8)), (name, Array("other".utf8))]
        #expect(report.h1.description == TestZip.h1(of: expected + twice))
        #expect(report.isHostile)
    }

    @Test func `what clients cannot read is refused with the entry's name`() {
        func refused(_ change: (inout TestZip) -> Void) -> String? {
            do {
                _ = try ZipReading.whole(zip(change).build().bytes)
                return nil
            } catch {
                return (error as? ZipRefusal)?.description
            }
        }
        #expect(refused { $0.entries[1].centralCRC = 1 }?.contains("a.go") == true)
        #expect(refused { $0.entries[0].centralCRC = 1 }?.contains("go.mod") == true)
        #expect(refused { $0.entries[1].centralUnpacked = 499 }?.contains("longer than it says") == true)
        #expect(refused { $0.entries[1].centralUnpacked = 501 }?.contains("shorter than it says") == true)
        #expect(refused { $0.entries[1].packed = [0xff, 0xff] }?.contains("damaged") == true)
        #expect(refused { $0.entries[1].centralOffset = 1 }?.contains("no header") == true)
        #expect(refused { $0.entries[1].centralOffset = 100_000 }?.contains("outside the file") == true)
        #expect(
            refused { $0.entries[1].name = Array("example.com/m@v1.0.0/a\nb".utf8) }?.contains("line feed")
                == true)
        #expect(
            refused { $0.entries[2] = Entry("example.com/m@v1.0.0/d/", "x", .stored) }?.contains("folder")
                == true)
        #expect(refused { $0.count = 4 }?.contains("announces 4 entries") == true)
        #expect(throws: ZipRefusal.self) { try ZipReading.whole([]) }
        #expect(throws: ZipRefusal.self) { try ZipReading.whole([UInt8](repeating: 0, count: 100_000)) }
    }

    @Test func `entries that claim more bytes than there are end the reading before it starts`() {
        let big = [UInt8](repeating: 1, count: 60_000)
        var zip = TestZip([Entry("example.com/m@v1.0.0/0", big, .stored)])
        for index in 1..<100 {
            var copy = Entry("example.com/m@v1.0.0/\(index)", big, .stored)
            copy.centralOffset = 0
            zip.entries.append(copy)
        }
        var bytes = zip.build().bytes
        // Keep the first entry and the directory only.
        let directory = bytes.count - 22 - 100 * 46 - zip.entries.reduce(0) { $0 + $1.name.count }
        bytes.removeSubrange(60_100..<directory)
        #expect { try ZipReading.whole(bytes) } throws: { "\($0)".contains("overlap") }
    }

    @Test func `an error of the reader comes through`() {
        struct Broken: Error {}
        #expect(throws: Broken.self) { try ZipDirectory(byteCount: 100) { _, _ in throw Broken() } }
    }
}
