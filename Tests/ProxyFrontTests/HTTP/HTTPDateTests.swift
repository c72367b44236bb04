import ProxyFront
import Testing

@Suite("An HTTP date")
struct HTTPDateTests {
    @Test(
        "is read in its three forms",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        ])
    func forms(_ text: String) {
        #expect(HTTPDate(text)?.seconds == 784_111_777)
    }

    @Test("is written in the preferred one")
    func written() {
        #expect(HTTPDate(seconds: 784_111_777).text == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate(seconds: 0).text == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate(seconds: -1).text == "Wed, 31 Dec 1969 23:59:59 GMT")
        #expect(HTTPDate(seconds: 951_782_400).text == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate(seconds: 4_102_444_799).text == "Thu, 31 Dec 2099 23:59:59 GMT")
    }

    @Test("survives being written and read, on every day of four centuries")
    func roundTrip() {
        for day in stride(from: Int64(-100_000), to: 100_000, by: 37) {
            let date = HTTPDate(seconds: day * 86_400 + 12_345)
            #expect(HTTPDate(date.text) == date)
        }
    }

    @Test(
        "that is none is not read",
        arguments: [
            "", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 PST",
            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "784111777",
        ])
    func refused(_ text: String) {
        #expect(HTTPDate(text) == nil)
    }

    @Test("with two digits of a year lies at most 50 years ahead")
    func twoDigitYears() {
        #expect(HTTPDate("Sunday, 06-Nov-76 08:49:37 GMT", nowYear: 2026)?.text.contains(" 2076 ") == true)
        #expect(HTTPDate("Sunday, 06-Nov-77 08:49:37 GMT", nowYear: 2026)?.text.contains(" 1977 ") == true)
    }
}
