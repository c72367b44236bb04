import ProxyFront
import Testing

@Suite struct ZipVerifierTests {
    private typealias Entry = TestZip.Entry

    private static let files: [Entry] = [
        Entry("example.com/m@v1.0.0/go.mod", "module example.com/m\n"),
        Entry("example.com/m@v1.0.0/a.go", String(repeating: "package a\n", count: 500)),
        Entry("example.com/m@v1.0.0/empty.txt", ""),
        Entry("example.com/m@v1.0.0/dir/b.go", [UInt8](repeating: 7, count: 300_000)),
        Entry("example.com/m@v1.0.0/dir/ünïcode.txt", "x"),
    ]

    private func zip(_ change: (inout [Entry]) -> Void = { _ in }) -> TestZip {
        var entries = Self.files
        change(&entries)
        return TestZip(entries)
    }

    private func read(_ verdict: ZipVerdict) -> ModuleZipReport? {
        if case .read(let report) = verdict { report } else { nil }
    }

    @Test(arguments: ["signed", "unsigned", "deflated", "stored", "mixed"])
    func `a regular zip is read in passing`(form: String) throws {
        let zip = zip { entries in
            for index in entries.indices {
                entries[index].form =
                    switch form {
                    case "signed": .deflatedWithDescriptor(signed: true)
                    case "unsigned": .deflatedWithDescriptor(signed: false)
                    case "deflated": .deflated
                    case "stored": .stored
                    default: [.deflatedWithDescriptor(signed: false), .stored, .deflated][index % 3]
                    }
            }
        }
        let bytes = zip.build().bytes
        let report = try #require(read(ZipReading.passing(bytes)))
        #expect(report.h1.description == zip.h1)
        #expect(report.goMod == ModuleHash.goMod(Array("module example.com/m\n".utf8)))
        #expect(report.entryCount == 5)
        #expect(report.unpackedByteCount == 305_022)
        #expect(report.oddities.isEmpty && !report.isHostile)
        #expect(try ZipReading.whole(bytes).h1 == report.h1)
    }

    @Test func `a zip without entries has the sum of nothing`() throws {
        let report = try #require(read(ZipReading.passing(TestZip([]).build().bytes)))
        #expect(report.h1.description == TestZip.h1(of: []))
        #expect(report.goMod == nil)
    }

    @Test func `how the bytes are cut into pieces changes nothing`() throws {
        let bytes = zip { $0.removeLast(2) }.build().bytes
        let expected = ZipReading.summary(ZipReading.passing(bytes))
        #expect(expected.hasPrefix("read h1:"))
        #expect(ZipReading.summary(ZipReading.passing(bytes, cuts: 1..<bytes.count)) == expected)
        for cut in bytes.indices {
            #expect(ZipReading.summary(ZipReading.passing(bytes, cuts: [cut])) == expected, "cut at \(cut)")
        }
    }

    @Test func `a deflate stream may end anywhere in a piece`() throws {
        // The stream's last bits, the descriptor and the next header all fall into one look-ahead of the inflater.
        for length in 0..<40 {
            let contents = (0..<length).map { UInt8($0 * 37 & 0xff) }
            let zip = TestZip([
                Entry("example.com/m@v1.0.0/a", contents, .deflatedWithDescriptor(signed: length % 2 == 0)),
                Entry("example.com/m@v1.0.0/b", contents, .deflatedWithDescriptor(signed: length % 3 == 0)),
            ])
            let bytes = zip.build().bytes
            for size in 1...9 {
                let cuts = stride(from: size, to: bytes.count, by: size)
                #expect(read(ZipReading.passing(bytes, cuts: cuts))?.h1.description == zip.h1)
            }
        }
    }

    @Test func `a zip cut short is never read`() throws {
        let bytes = zip { $0.removeLast(2) }.build().bytes
        for length in bytes.indices {
            #expect(read(ZipReading.passing(Array(bytes[..<length]))) == nil, "\(length) bytes")
            #expect(throws: ZipRefusal.self) { try ZipReading.whole(Array(bytes[..<length])) }
        }
    }

    static let undecidable: [(String, @Sendable (inout TestZip) -> Void)] = [
        ("a comment", { $0.comment = Array("hello".utf8) }),
        ("trailing bytes", { $0.trailing = [0] }),
        ("leading bytes", { $0.leading = Array("#!/bin/sh\n".utf8) }),
        ("a gap", { $0.entries[1].gap = [1, 2, 3, 4] }),
        ("a hidden entry", { $0.entries[1].isHidden = true }),
        (
            "another name in the directory",
            { $0.entries[1].localName = Array("example.com/m@v1.0.0/b.go".utf8) }
        ),
        ("another offset in the directory", { $0.entries[1].centralOffset = 0 }),
        ("other flags in the directory", { $0.entries[1].centralFlags = 0x808 }),
        ("a stored entry of unknown size", { $0.entries[1].form = .storedWithDescriptor }),
        (
            "bytes behind a stream",
            {
                $0.entries[1].form = .deflated
                $0.entries[1].packed = Deflate.packed($0.entries[1].contents) + [0]
            }
        ),
        (
            "two entries in another order in the directory",
            {
                $0.entries.swapAt(0, 1)
                ($0.entries[0].centralOffset, $0.entries[1].centralOffset) = (1, 2)
            }
        ),
    ]

    @Test(arguments: undecidable.map(\.0))
    func `what passing by cannot decide needs the whole file`(name: String) throws {
        var zip = zip()
        try #require(Self.undecidable.first { $0.0 == name }).1(&zip)
        guard case .needsWholeFile(let reason) = ZipReading.passing(zip.build().bytes) else {
            Issue.record("a verdict was given")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test(
        arguments: [
            ("example.com/m@v1.0.0x/a", true), ("other", true), ("/etc/passwd", true),
            ("example.com/m@v1.0.0/../x", true),
            ("example.com/m@v1.0.0//x", true), ("example.com/m@v1.0.0/./x", true),
            ("example.com/m@v1.0.0/a\\b", true),
            ("example.com/m@v1.0.0/nul.txt", true), ("example.com/m@v1.0.0/a:b", true),
            ("example.com/m@v1.0.0/A.go", true),
            ("example.com/m@v1.0.0/a.go", true), ("example.com/m@v1.0.0/DIR/x", true),
            ("example.com/m@v1.0.0/a.go/x", true),
            ("example.com/m@v1.0.0/dir", true), ("example.com/m@v1.0.0/dir/Ünïcode.txt", true),
            ("example.com/m@v1.0.0/sub/go.mod", true), ("example.com/m@v1.0.0/x/GO.MOD", true),
            ("example.com/m@v1.0.0/Go.mod", true),
            ("", true), ("example.com/m@v1.0.0/\u{1}", true), ("example.com/m@v1.0.0/dir/", false),
            ("example.com/m@v1.0.0/", false),
            ("example.com/m@v1.0.0/ok go.mod", nil), ("example.com/m@v1.0.0/ok ! file", nil),
            ("example.com/m@v1.0.0/.hidden", nil),
            ("example.com/m@v1.0.0/xgo.mod", nil),
        ] as [(String, Bool?)])
    func `names are held against the rules for module zips`(name: String, isHostile: Bool?) throws {
        let zip = zip { $0.append(Entry(name, "")) }
        let bytes = zip.build().bytes
        let report = try #require(read(ZipReading.passing(bytes)))
        #expect(
            report.h1.description == zip.h1 || name.hasSuffix("0.0/a.go"),
            "repeated names have rules of their own")
        #expect(report.isHostile == (isHostile ?? false))
        #expect(report.oddities.count == (isHostile == nil ? 0 : 1), "\(report.oddities)")
    }

    @Test func `oddities are kept in bounded number and never forgotten`() throws {
        var entries = (0..<100).map { Entry("example.com/m@v1.0.0/d\($0)/", "") }
        entries.append(Entry("../../etc/passwd", "root"))
        let report = try #require(read(ZipReading.passing(TestZip(entries).build().bytes)))
        #expect(report.oddities.count == 32 && report.isHostile)
        #expect(report.oddities.allSatisfy { !$0.isHostile && !$0.description.isEmpty })
    }

    @Test func `a bomb is given up early`() throws {
        let packed = Deflate.packed([UInt8](repeating: 0, count: 60 << 20))
        var bomb = Entry("example.com/m@v1.0.0/bomb", "")
        bomb.packed = packed
        bomb.contents = []
        let bytes = TestZip([bomb]).build().bytes
        var limits = ZipLimits()
        limits.unpackedByteCount = 1 << 20
        var verifier = ZipVerifier(module: ZipReading.module, limits: limits)
        var given = 0
        for start in stride(from: 0, to: bytes.count, by: 1024) where verifier.refusal == nil {
            verifier.receive(Array(bytes[start..<min(start + 1024, bytes.count)]))
            given = start
        }
        #expect(verifier.refusal == .unpackedTooLarge(limit: 1 << 20))
        #expect(given < 16 << 10)
    }

    @Test func `every limit is held`() throws {
        func refusal(_ change: (inout ZipLimits) -> Void) -> ZipRefusal? {
            var limits = ZipLimits()
            change(&limits)
            let bytes = zip().build().bytes
            var whole: ZipRefusal?
            do { _ = try ZipReading.whole(bytes, limits: limits) } catch { whole = error as? ZipRefusal }
            guard case .refused(let refusal) = ZipReading.passing(bytes, limits: limits), whole == refusal
            else { return nil }
            return refusal
        }
        #expect(refusal { $0.packedByteCount = 1000 } == .packedTooLarge(limit: 1000))
        #expect(refusal { $0.unpackedByteCount = 305_021 } == .unpackedTooLarge(limit: 305_021))
        #expect(refusal { $0.entryCount = 4 } == .tooManyEntries(limit: 4))
        #expect(refusal { $0.nameByteCount = 30 } == .namesTooLong(limit: 30))
        #expect(refusal { $0.namesByteCount = 100 } == .namesTooLong(limit: 100))
        var limits = ZipLimits()
        limits.rootFileByteCount = 3
        let report = try #require(read(ZipReading.passing(zip().build().bytes, limits: limits)))
        #expect(report.oddities.map(\.kind) == [.rootFileTooLarge] && report.isHostile)
    }

    @Test func `a flipped byte never lets other contents pass for the original`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let zip = zip { $0[3].contents = (0..<3000).map { _ in UInt8.random(in: 0...255, using: &random) } }
        let (bytes, data) = zip.build()
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            guard let report = read(ZipReading.passing(damaged)) else { continue }
            let whole = try ZipReading.whole(damaged)
            #expect(whole.h1 == report.h1, "seed \(seed), byte \(position): the two readers disagree")
            // The last byte of a stream is padded with bits that mean nothing.
            let isMeaningful = data.contains { $0.dropLast().contains(position) }
            #expect(!isMeaningful, "seed \(seed), byte \(position): damage went unseen")
        }
    }

    @Test func `two readers of random damage never disagree`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let (bytes, _) = zip { $0[3].contents.removeLast(299_000) }.build()
        for round in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: damaged.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[position] = UInt8.random(in: 0...255, using: &random)
                case 1: damaged.remove(at: position)
                case 2: damaged.insert(UInt8.random(in: 0...255, using: &random), at: position)
                default:
                    let other = Int.random(in: damaged.indices, using: &random)
                    damaged.swapAt(position, other)
                }
            }
            let cuts = (0..<3).map { _ in Int.random(in: damaged.indices, using: &random) }.sorted()
            let verdict = ZipReading.passing(damaged, cuts: cuts)
            #expect(ZipReading.summary(verdict) == ZipReading.summary(ZipReading.passing(damaged)))
            if let report = read(verdict) {
                #expect(try ZipReading.whole(damaged).h1 == report.h1, "seed \(seed), round \(round)")
            } else {
                _ = try? ZipReading.whole(damaged)
            }
        }
    }
}
