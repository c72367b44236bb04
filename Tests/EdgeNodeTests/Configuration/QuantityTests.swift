import EdgeNode
import Testing

@Suite("Quantities as people write them")
struct QuantityTests {
    @Test(
        "a size is a number and a unit",
        arguments: [
            ("0", 0), ("512", 512), ("512B", 512), ("64 KiB", 65_536), ("64KiB", 65_536),
            ("1.5 MiB", 1_572_864),
            ("50 GiB", 53_687_091_200), ("2 TiB", 2_199_023_255_552), ("1 kB", 1000), ("1 KB", 1000),
            ("3 MB", 3_000_000), ("50 GB", 50_000_000_000), ("1 TB", 1_000_000_000_000), ("1_000 B", 1000),
        ] as [(String, Int64)])
    func size(text: String, bytes: Int64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(
        "what is not a size is refused with the remedy",
        arguments: ["", "GiB", "-1", "ten", "50 gib", "50 GiB/s", "1.2.3 MiB", "99999999 TiB", "5 %"])
    func badSize(text: String) throws {
        let error = try #require(throws: QuantityError.self) { try ByteSize.parse(text) }
        #expect(error.description.contains("\"\(text)\""))
    }

    @Test("a size is shown in the largest unit that divides it, and rounded for people")
    func sizeText() {
        #expect(ByteSize.text(53_687_091_200) == "50 GiB")
        #expect(ByteSize.text(1536) == "1536 B")
        #expect(ByteSize.text(0) == "0 B")
        #expect(ByteSize.rounded(1_567_000_000) == "1.46 GiB")
        #expect(ByteSize.rounded(15_670_000_000) == "14.6 GiB")
        #expect(ByteSize.rounded(1023) == "1023 B")
        #expect(ByteSize.rounded(2048) == "2 KiB")
    }

    @Test(
        "a span of time is whole numbers with their units",
        arguments: [
            ("0", 0), ("0s", 0), ("250ms", 250), ("60s", 60_000), ("2m", 120_000), ("1h30m", 5_400_000),
            ("90d", 7_776_000_000), ("1d1h1m1s1ms", 90_061_001),
        ])
    func duration(text: String, milliseconds: Int) throws {
        #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(
        "what is not a span of time is refused",
        arguments: ["", "60", "s", "60 s", "-1s", "1.5h", "1w", "9999999999999999999d", "99999999999999999d"])
    func badDuration(text: String) {
        #expect(throws: QuantityError.self) { try DurationText.parse(text) }
    }

    @Test("a span of time is written as it is read", arguments: ["90d", "1h30m", "250ms", "1m5s", "0s"])
    func durationText(text: String) throws {
        #expect(DurationText.text(try DurationText.parse(text)) == text)
    }
}
