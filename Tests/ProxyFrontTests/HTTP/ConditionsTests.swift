import ProxyFront
import Testing

@Suite("A conditional request")
struct ConditionsTests {
    static let answer: Headers = ["ETag": "\"a,b\"", "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"]
    static let same = "Sun, 06 Nov 1994 08:49:37 GMT"
    static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    static let later = "Sun, 06 Nov 1994 08:49:38 GMT"

    @Test(
        "is decided by the answer's validators",
        arguments: [
            (["If-None-Match": "\"a,b\""], .notModified), (["If-None-Match": "W/\"a,b\""], .notModified),
            (["If-None-Match": "\"x\", \"a,b\""], .notModified),
            (["If-None-Match": "\"x\",,W/\"a,b\" , \"y\""], .notModified),
            (["If-None-Match": "*"], .notModified), (["If-None-Match": "\"a\""], .proceed),
            (["If-None-Match": "a,b"], .proceed), (["If-None-Match": "\"a,b"], .proceed),
            (["If-None-Match": ""], .proceed), (["If-Modified-Since": same], .notModified),
            (["If-Modified-Since": later], .notModified), (["If-Modified-Since": earlier], .proceed),
            (["If-Modified-Since": "yesterday"], .proceed),
            (["If-None-Match": "\"x\"", "If-Modified-Since": later], .proceed),
            (["If-Match": "\"a,b\""], .proceed), (["If-Match": "*"], .proceed),
            (["If-Match": "\"x\""], .failed),
            (["If-Match": "W/\"a,b\""], .failed), (["If-Unmodified-Since": earlier], .failed),
            (["If-Unmodified-Since": same], .proceed),
            (["If-Match": "\"a,b\"", "If-Unmodified-Since": earlier], .proceed),
            (["If-Match": "\"a,b\"", "If-None-Match": "\"a,b\""], .notModified),
        ] as [(Headers, Conditions.Verdict)])
    func decided(_ request: Headers, _ verdict: Conditions.Verdict) {
        #expect(Conditions.evaluate(request: request, answer: Self.answer) == verdict)
    }

    @Test("proceeds where there are no validators, but for If-Match and *")
    func noValidators() {
        func verdict(_ request: Headers) -> Conditions.Verdict {
            Conditions.evaluate(request: request, answer: [:])
        }
        #expect(verdict(["If-None-Match": "\"a\""]) == .proceed)
        #expect(verdict(["If-Modified-Since": Self.later]) == .proceed)
        #expect(verdict(["If-Unmodified-Since": Self.earlier]) == .proceed)
        #expect(verdict(["If-Match": "\"a\""]) == .failed)
    }

    @Test("with a weak tag at the origin never matches strongly")
    func weakOrigin() {
        let weak: Headers = ["ETag": "W/\"a\""]
        #expect(Conditions.evaluate(request: ["If-Match": "\"a\""], answer: weak) == .failed)
        #expect(Conditions.evaluate(request: ["If-None-Match": "\"a\""], answer: weak) == .notModified)
    }

    @Test("lets a range through only on an equal strong validator")
    func ifRange() {
        func applies(_ value: String) -> Bool {
            Conditions.rangeApplies(request: ["If-Range": value], answer: Self.answer)
        }
        #expect(applies("\"a,b\""))
        #expect(applies(Self.same))
        #expect(!applies("\"a\""))
        #expect(!applies("W/\"a,b\""))
        #expect(!applies(Self.later))
        #expect(!applies("nonsense"))
        #expect(Conditions.rangeApplies(request: [:], answer: [:]))
        #expect(!Conditions.rangeApplies(request: ["If-Range": "\"a\""], answer: [:]))
    }
}
