import ProxyFront
import Testing

@Suite struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func aDeadUpstreamCostsOneAttempt() {
        var breaker = CircuitBreaker()
        #expect(breaker.admit(now: at(0)) == .pass)
        breaker.met(.dead, now: at(0))
        #expect(breaker.admit(now: at(0.5)) == .rest(.milliseconds(500)))
    }

    @Test func oneProbeIsOutAtATime() {
        var breaker = CircuitBreaker()
        breaker.met(.dead, now: at(0))
        #expect(breaker.admit(now: at(1)) == .probe)
        #expect(breaker.admit(now: at(1)) == .probing)
        #expect(breaker.admit(now: at(100)) == .probing)
    }

    @Test func eachFailedProbeDoublesTheRestUpToTheLongest() {
        var breaker = CircuitBreaker()
        breaker.met(.dead, now: at(0))
        var now = 1.0
        for rest in [2.0, 4, 8, 15, 15] {
            #expect(breaker.admit(now: at(now)) == .probe)
            breaker.probed(.dead, now: at(now))
            #expect(breaker.admit(now: at(now + rest - 0.25)) == .rest(.milliseconds(250)))
            now += rest
        }
    }

    @Test func aGoodProbeClosesItAndTheNextOutageRestsBrieflyAgain() {
        var breaker = CircuitBreaker()
        breaker.met(.dead, now: at(0))
        _ = breaker.admit(now: at(1))
        breaker.probed(.dead, now: at(1))
        _ = breaker.admit(now: at(3))
        breaker.probed(.success, now: at(3))
        #expect(breaker.admit(now: at(3)) == .pass)
        breaker.met(.dead, now: at(4))
        #expect(breaker.admit(now: at(4)) == .rest(.seconds(1)))
    }

    @Test func errorsOfALivingServerOpenItOnlyInARow() {
        var breaker = CircuitBreaker()
        for _ in 0..<4 { breaker.met(.error, now: at(0)) }
        #expect(breaker.admit(now: at(0)) == .pass)
        breaker.met(.success, now: at(0))
        for _ in 0..<4 { breaker.met(.error, now: at(0)) }
        #expect(breaker.admit(now: at(0)) == .pass)
        breaker.met(.error, now: at(0))
        #expect(breaker.admit(now: at(0)) == .rest(.seconds(1)))
    }

    @Test func stragglersNeitherProlongARestNorAreTakenForTheProbe() {
        var breaker = CircuitBreaker()
        breaker.met(.dead, now: at(0))
        breaker.met(.dead, now: at(0.9))
        #expect(breaker.admit(now: at(1)) == .probe)
        breaker.met(.dead, now: at(1.1))
        #expect(breaker.admit(now: at(1.2)) == .probing)
        breaker.met(.success, now: at(1.3))
        #expect(breaker.admit(now: at(1.4)) == .pass)
        breaker.probed(.dead, now: at(1.5))
        #expect(breaker.admit(now: at(1.6)) == .pass)
    }
}

@Suite struct UpstreamListTests {
    @Test func theListIsReadAsGOPROXYIs() throws {
        let list = try UpstreamList(
            parsing: "https://a.example, http://b.example/go/|https://c.example,off,https://d")
        #expect(list.upstreams.map(\.name) == ["a.example", "b.example/go", "c.example"])
        #expect(list.entries.map(\.fallsBackOnAnyError) == [false, true, false])
    }

    @Test(arguments: ["direct", "https://a,direct", "a.example", "https://a?x=1", "https://u:p@a"])
    func whatANodeCannotAskIsRefused(text: String) {
        #expect(throws: UpstreamListError.self) { try UpstreamList(parsing: text) }
    }

    /// What each upstream answers, the separator behind it, and what the client must see.
    @Test(arguments: [
        ("200", "200"), ("404,200", "200"), ("410,200", "200"), ("404|200", "200"), ("500,200", "500"),
        ("500|200", "200"), ("403,200", "403"), ("403|200", "200"), ("404,410", "410"), ("404,500", "500"),
        ("500|404", "500"), ("404,404,200", "200"), ("500|404,200", "200"), ("500|403|404", "403"),
        ("dead|200", "200"), ("dead,200", "dead"), ("dead|404", "dead"), ("404,dead", "dead"),
    ])
    func theNextIsAskedAsTheSeparatorSays(script: String, outcome: String) async throws {
        var order: [Fallback<String>] = []
        for part in script.split(separator: ",", omittingEmptySubsequences: false) {
            let any = part.split(separator: "|").map(String.init)
            for (index, answer) in any.enumerated() {
                order.append(Fallback(answer, onAnyFailure: index < any.count - 1))
            }
        }
        var seen: String
        do {
            seen = try await order.firstSuccess { answer throws(UpstreamFailure) in
                if answer == "dead" { throw .unreachable(upstream: "u", reason: "refused") }
                let status = Int(answer) ?? 0
                if status != 200 { throw .refused(UpstreamRefusal(upstream: "u", status: status)) }
                return answer
            }.0
        } catch {
            if case .refused(let refusal) = error { seen = String(refusal.status) } else { seen = "dead" }
        }
        #expect(seen == outcome)
    }
}
