import ChunkStore
import Content
import Testing

@Suite("Zip chunker")
struct ZipChunkerTests {
    @Test("A module zip of the usual form is entries and a directory, nothing stored")
    func usualForm() throws {
        let zip = TestZip.module("example.com/m@v1.0.0", files: 60, size: 100...9000, seed: 1)
        let plan = try rebuilt(zip.bytes)
        #expect(plan.segments == [.zipEntries(count: 60), .zipDirectory])
        #expect(plan.cuts.count == 60)
    }

    @Test("Short data stays in the recipe, long data is cut at every MiB")
    func sizes() throws {
        var random = SplitMix(seed: 2)
        let zip = TestZip([
            .init(name: "m/empty", data: [3, 0]),
            .init(name: "m/nothing", data: []),
            .init(name: "m/large", data: random.bytes(2_500_000)),
        ])
        let plan = try rebuilt(zip.bytes)
        #expect(plan.cuts.map(\.count) == [1 << 20, 1 << 20, 2_500_000 - (2 << 20)])
        #expect(plan.entries.map(\.data) == [.stored([3, 0]), .stored([]), .chunks(count: 3)])
    }

    @Test("Headers of any other form are stored as they are, the data is still cut")
    func otherForms() throws {
        var random = SplitMix(seed: 3)
        let data = random.bytes(5000)
        var changed: [(String, TestZip)] = []
        func add(_ what: String, _ change: (inout TestZip) -> Void) {
            var zip = TestZip([
                .init(name: "m/a", data: data), .init(name: "m/b", data: data),
                .init(name: "m/c", data: data),
            ])
            change(&zip)
            changed.append((what, zip))
        }
        add("a date") { $0.entries[1].date = 0x5821_6000 }
        add("sizes in the header") {
            $0.entries[1].descriptor = false
            $0.entries[1].flags = 0
        }
        add("an extra field") { $0.entries[1].extra = [1, 0, 2, 0, 9, 9] }
        add("a stored entry") { $0.entries[1].method = 0 }
        add("a comment") { $0.comment = Array("signed".utf8) }
        add("bytes before the first entry") { $0.prefix = Array("PK\u{3}\u{4}#!".utf8) }
        add("a directory in another order") { $0.reversedDirectory = true }
        for (what, zip) in changed {
            let plan = try rebuilt(zip.bytes)
            #expect(plan.cuts.count == 3, "\(what)")
            #expect(plan.segments.contains { if case .stored = $0 { true } else { false } }, "\(what)")
        }
    }

    @Test("A long uncompressed entry is cut by its content")
    func storedEntry() throws {
        var random = SplitMix(seed: 4)
        let data = random.bytes(900_000)
        let plan = try rebuilt(TestZip([.init(name: "m/tar", data: data, method: 0)]).bytes)
        #expect(plan.cuts.count > 8)
        #expect(plan.cuts.allSatisfy { $0.count <= 128 << 10 })
    }

    @Test("Odd and hostile archives are refused: they stay whole")
    func refused() throws {
        var random = SplitMix(seed: 5)
        let data = random.bytes(3000)
        func zip(_ change: (inout TestZip) -> Void) -> [UInt8] {
            var zip = TestZip([.init(name: "m/a", data: data), .init(name: "m/b", data: data)])
            change(&zip)
            return zip.bytes
        }
        let whole = zip { _ in }
        var cases: [(String, [UInt8])] = [
            ("overlapping entries", zip { $0.entries[1].claimedOffset = 0 }),
            ("data beyond the next entry", zip { $0.entries[0].claimedSize = 4000 }),
            ("data beyond the file", zip { $0.entries[1].claimedSize = 1_000_000 }),
            ("an offset beyond the file", zip { $0.entries[1].claimedOffset = 1 << 30 }),
            ("too many entries announced", zip { $0.claimedCount = 60_000 }),
            ("fewer entries announced", zip { $0.claimedCount = 1 }),
            ("zip64's mark for a count", zip { $0.claimedCount = 0xffff }),
            ("zip64's mark for a size", zip { $0.entries[0].claimedSize = .max }),
            ("an encrypted entry", zip { $0.entries[0].flags = 9 }),
            ("an empty name", zip { $0.entries[0].name = "" }),
            ("a name of 5,000 bytes", zip { $0.entries[0].name = String(repeating: "n", count: 5000) }),
            (
                "70,000 bytes that belong to no entry",
                zip { $0.prefix = whole.prefix(4) + random.bytes(70_000) }
            ),
            ("no end record", Array(whole.dropLast())),
            ("nothing but the magic", Array(whole.prefix(4)) + [0, 0]),
            ("bytes after the end", whole + [0]),
        ]
        var wrongName = whole
        wrongName[30] ^= 1
        cases.append(("a name that differs between header and directory", wrongName))
        for (what, bytes) in cases {
            #expect(throws: ChunkingRefusal.self, "\(what)") {
                try ZipChunker().plan(MemoryBlobSource(bytes), shouldStop: { false })
            }
        }
    }

    @Test("Flipped bits anywhere give a refusal or a plan that rebuilds the same bytes, never a crash")
    func mutations() throws {
        var random = SplitMix(seed: 6)
        let bytes = TestZip.module("m@v1.0.0", files: 5, size: 0...300, seed: 9).bytes
        var plans = 0
        for _ in 0..<4000 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                mutated[Int.random(in: mutated.indices, using: &random)] = UInt8(random.next() & 255)
            }
            guard let plan = try? ZipChunker().plan(MemoryBlobSource(mutated), shouldStop: { false }) else {
                continue
            }
            plans += 1
            #expect(try rebuild(plan, mutated) == mutated)
        }
        #expect(plans > 500)
    }

    @Test("Work stops when it is told to")
    func stops() throws {
        let bytes = TestZip.module("m@v1.0.0", files: 5, size: 0...300, seed: 9).bytes
        #expect(throws: ChunkingRefusal.stopped) {
            try ZipChunker().plan(MemoryBlobSource(bytes), shouldStop: { true })
        }
    }

    private func rebuilt(_ bytes: [UInt8]) throws -> ChunkPlan {
        let plan = try ZipChunker().plan(MemoryBlobSource(bytes), shouldStop: { false })
        #expect(try rebuild(plan, bytes) == bytes)
        return plan
    }
}

/// Turns a plan into a recipe, encodes and decodes it, and rebuilds the blob part by part.
func rebuild(_ plan: ChunkPlan, _ bytes: [UInt8]) throws -> [UInt8] {
    let names = plan.cuts.indices.map { ChunkName.number(Int64($0) + 1) }
    let written = try plan.recipe(blob: Digest(of: bytes), names: names)
    let recipe = try Recipe(decoding: written.encoded())
    let layout = try RecipeLayout(chunks: recipe.chunks, entries: recipe.entries, segments: recipe.segments)
    var out: [UInt8] = []
    for part in layout.parts {
        if case .chunk(let index) = part {
            out += bytes[Int(plan.cuts[index].lowerBound)..<Int(plan.cuts[index].upperBound)]
        } else {
            out += recipe.bytes(of: part, layout)
        }
    }
    return out
}
