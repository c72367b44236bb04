import Gossip
import ProxyFront
import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("render every property that is declared")
    func complete() {
        let metrics = Metrics()
        _ = metrics.upstreams["u"]
        _ = metrics.registries[.dockerHub]
        let text = metrics.render()
        let declared = Mirror(reflecting: metrics).children.count
        let families = text.split(separator: "\n").count { $0.hasPrefix("# TYPE ") }
        // One property holds the five families of the upstreams, another those of the registries, two of which show
        // only what a registry has told. Peers and gossip show nothing outside a cluster.
        #expect(families == declared - 4 + 5 + 1)
        #expect(declared > 20)
    }

    @Test("follow the text format line by line")
    func format() throws {
        let metrics = Metrics()
        metrics.hits.add(.inFlight, 3)
        metrics.upstreams["a\"b\\c\nd"].latency.observe(.milliseconds(3))
        let line = try Regex(
            #"[a-z_]+(\{[a-z_]+="([^"\\\n]|\\[\\"n])*"(,[a-z_]+="([^"\\\n]|\\[\\"n])*")*\})? [0-9.]+"#)
        var named: Set<Substring> = []
        for text in metrics.render().split(separator: "\n") {
            if text.hasPrefix("# TYPE ") {
                let name = text.split(separator: " ")[2]
                #expect(named.insert(name).inserted, "\(name) comes twice")
                #expect(name.hasPrefix("edgenode_"))
            } else if !text.hasPrefix("# HELP ") {
                #expect(text.wholeMatch(of: line) != nil, "\(text)")
            }
        }
        #expect(metrics.render().contains("edgenode_served_total{source=\"in_flight\"} 3\n"))
        #expect(metrics.render().contains("{upstream=\"a\\\"b\\\\c\\nd\"}"))
    }

    @Test("count a histogram's buckets cumulatively, in seconds")
    func histogram() {
        let histogram = Histogram("edgenode_t_seconds", "t", bounds: [.milliseconds(10), .seconds(1)])
        for duration in [Duration.milliseconds(10), .milliseconds(11), .seconds(2), .seconds(-1)] {
            histogram.observe(duration)
        }
        var text = ""
        histogram.render(into: &text)
        #expect(
            text == """
                # HELP edgenode_t_seconds t
                # TYPE edgenode_t_seconds histogram
                edgenode_t_seconds_bucket{le="0.01"} 2
                edgenode_t_seconds_bucket{le="1"} 3
                edgenode_t_seconds_bucket{le="+Inf"} 4
                edgenode_t_seconds_sum 2.021
                edgenode_t_seconds_count 4

                """)
        #expect(histogram.count == 4)
    }

    @Test("keep the number of upstream names bounded")
    func bounded() {
        let metrics = Metrics()
        for number in 0..<200 { metrics.upstreams["u\(number)"].requests.add() }
        let lines = metrics.render().split(separator: "\n").filter {
            $0.hasPrefix("edgenode_upstream_requests_total{")
        }
        #expect(lines.count == 64)
        #expect(lines.contains("edgenode_upstream_requests_total{upstream=\"other\"} 137"))
        #expect(metrics.upstreams["u0"].requests.value == 1)
    }

    @Test("count from many threads without loss")
    func concurrent() async {
        let metrics = Metrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        metrics.evictions.add()
                        metrics.hits.add(.local)
                    }
                }
            }
        }
        #expect(metrics.evictions.value == 80_000)
        #expect(metrics.hits.total == 80_000)
    }

    @Test("tell what gossip did not take, by reason, in a cluster only")
    func gossip() {
        let metrics = Metrics()
        #expect(!metrics.render().contains("edgenode_gossip"))
        var counters = GossipCounters()
        (counters.datagramsIn, counters.bytesOut, counters.drops.forged) = (7, 500, 3)
        metrics.gossip.set { [counters] in
            .init(gossip: counters, refusedHandshakes: 2, droppedFirstMessages: 5)
        }
        let lines = metrics.render().split(separator: "\n")
        for line in [
            #"edgenode_gossip_datagrams_total{direction="in"} 7"#,
            #"edgenode_gossip_bytes_total{direction="out"} 500"#, "edgenode_gossip_send_failures_total 0",
            #"edgenode_gossip_dropped_datagrams_total{reason="forged"} 3"#,
            #"edgenode_gossip_dropped_datagrams_total{reason="strange"} 0"#,
            #"edgenode_peer_refused_handshakes_total{answer="none"} 5"#,
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
    }

    @Test("follow a total without going back")
    func advance() {
        let counter = Counter("edgenode_t_total", "t")
        counter.advance(to: 5)
        counter.advance(to: 3)
        #expect(counter.value == 5)
    }
}
