import ChunkStore
import Content
import ProxyFront
import Testing

/// Every fault of an upstream while a module zip is fetched, and what the client sees.
@Suite struct FaultTableTests {
    enum Outcome: Sendable, Equatable {
        /// The right zip, whole.
        case whole
        /// An answer that begins and never completes.
        case cut
        /// The same, but fetched again behind it for whoever asks next.
        case cutThenHeld
        case status(Int)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let outcome: Outcome
        let script: @Sendable (FaultUpstream.Asked, TestModule) -> [FaultUpstream.Step]

        init(
            _ name: String, _ outcome: Outcome,
            _ script: @escaping @Sendable (FaultUpstream.Asked, TestModule) -> [FaultUpstream.Step]
        ) {
            testDescription = name
            self.outcome = outcome
            self.script = script
        }
    }

    private static func announced(_ zip: [UInt8], _ sent: Int, _ fields: [String] = []) -> FaultUpstream.Step
    {
        .send(.head(200, ["Content-Length: \(zip.count)"] + fields) + zip.prefix(sent))
    }

    static let faults: [Fault] = [
        Fault("a good answer", .whole) { _, module in [.send(.answer(200, module.zip))] },
        Fault("no length announced", .whole) { _, module in [.send(.head(200) + module.zip), .close] },
        Fault("404", .status(404)) { _, _ in [.send(.answer(404, "not found: nobody"))] },
        Fault("410", .status(410)) { _, _ in [.send(.answer(410, "gone"))] },
        Fault("403", .status(403)) { _, _ in [.send(.answer(403, "blocked"))] },
        Fault("429", .status(429)) { _, _ in [.send(.answer(429, "slow down", ["Retry-After: 7"]))] },
        Fault("500", .status(500)) { _, _ in [.send(.answer(500, "oops"))] },
        Fault("a reset instead of an answer", .status(503)) { _, _ in [.reset] },
        Fault("an end instead of an answer", .status(503)) { _, _ in [.close] },
        Fault("silence", .status(504)) { _, _ in [.hang] },
        Fault("garbage instead of a head", .status(502)) { _, _ in
            [.send(Array("\u{1}\u{2}garbage\r\n\r\n".utf8)), .close]
        },
        Fault("a garbage length", .status(502)) { _, _ in [.send(.head(200, ["Content-Length: -5"])), .close]
        },
        Fault("a gzipped body", .status(502)) { _, module in
            [.send(.answer(200, module.zip, ["Content-Encoding: gzip"]))]
        },
        Fault("a redirect to this machine", .status(502)) { _, _ in
            [.send(.answer(302, "", ["Location: http://127.0.0.1:1/"]))]
        },
        Fault("a redirect within the upstream", .whole) { asked, module in
            asked.path.hasSuffix("/moved")
                ? [.send(.answer(200, module.zip))] : [.send(.answer(307, "", ["Location: /moved"]))]
        },
        Fault("a page of HTML with 200", .status(502)) { _, _ in
            [.send(.answer(200, "<html>log in first</html>"))]
        },
        Fault("an empty body", .status(502)) { _, _ in [.send(.answer(200, ""))] },
        Fault("other bytes of the right length", .cut) { _, module in
            [.send(.answer(200, module.zip.map { $0 ^ 1 }))]
        },
        Fault("one wrong byte in a file", .cut) { _, module in
            var zip = module.zip
            zip[zip.count / 2] ^= 1
            return [.send(.answer(200, zip))]
        },
        Fault("a zip of other contents", .cut) { _, module in
            [.send(.answer(200, TestModule(module.path, module.version, filler: 99_000).zip))]
        },
        Fault("cut for ever at the same byte", .cut) { _, module in [announced(module.zip, 60_000), .close] },
        Fault("cut once, then whole", .whole) { asked, module in
            asked.count == 1 ? [announced(module.zip, 60_000), .close] : [.send(.answer(200, module.zip))]
        },
        Fault("cut once, then the rest under its validator", .whole) { asked, module in
            asked.count == 1
                ? [announced(module.zip, 60_000, ["ETag: \"v\""]), .close]
                : [.send(asked.part(of: module.zip, etag: "\"v\""))]
        },
        Fault("cut once, then other bytes under another validator", .cutThenHeld) { asked, module in
            asked.count == 1
                ? [announced(module.zip, 60_000, ["ETag: \"v\""]), .close]
                : [.send(asked.part(of: TestModule(stored: true).zip, etag: "\"w\""))]
        },
        Fault("reset in the body, then whole", .whole) { asked, module in
            asked.count == 1 ? [announced(module.zip, 30_000), .reset] : [.send(.answer(200, module.zip))]
        },
        Fault("a stall in the body, then whole", .whole) { asked, module in
            asked.count == 1 ? [announced(module.zip, 30_000), .hang] : [.send(.answer(200, module.zip))]
        },
        Fault("a stall for ever", .cut) { _, module in [announced(module.zip, 30_000), .hang] },
        Fault("a trickle", .cut) { _, module in
            [
                announced(module.zip, 30_000),
                .trickle(Array(module.zip[30_000..<31_000]), every: .milliseconds(20)),
            ]
        },
        Fault("a short body without length", .cut) { _, module in
            [.send(.head(200) + module.zip.dropLast(10)), .close]
        },
        Fault("a short chunked body", .cut) { _, module in
            [
                .send(
                    .head(200, ["Transfer-Encoding: chunked"]) + Array("FFFF\r\n".utf8)
                        + module.zip.prefix(0x8000)),
                .close,
            ]
        },
        Fault("bytes behind the announced end", .whole) { _, module in
            [.send(.answer(200, module.zip) + Array("and more".utf8)), .close]
        },
    ]

    @Test(arguments: faults)
    func theClientGetsARightZipOrACleanFailure(fault: Fault) async throws {
        let module = TestModule()
        try await FaultUpstream.serving { asked in
            fault.script(asked, module)
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.authority = ScriptedAuthority(.sums(try module.sums))
            settings.client = { client in
                client.firstByteTimeout = .seconds(1)
                client.stallTimeout = .seconds(1)
            }
            try await TestNode.running(settings) { node in
                let got = await node.get(module.zipPath)
                switch fault.outcome {
                case .whole:
                    #expect(got.status == 200)
                    #expect(got.isComplete)
                    #expect(got.body == module.zip)
                    try await node.waitUntilHeld(module.zipName)
                    #expect(await node.get(module.zipPath).body == module.zip)
                case .cut, .cutThenHeld:
                    #expect(got.status == 200)
                    #expect(!got.isComplete)
                    if let promised = got.promised { #expect(Int64(got.body.count) < max(1, promised)) }
                    try await node.waitUntilQuiet()
                    let held = try await node.store.reference(try ReferenceName(module.zipName))
                    #expect(held?.h1 == (fault.outcome == .cut ? nil : module.h1))
                case .status(let status):
                    #expect(got.status == status)
                    #expect(got.isComplete)
                }
            }
        }
    }

    @Test func errorBodiesPassWordForWord() async throws {
        let body = "not found: example.com/toy@v9.9.9: unknown revision\n\u{0}odd"
        try await FaultUpstream.serving { _ in
            [.send(.answer(404, body, ["Content-Type: text/odd; x=y"]))]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                for path in ["/example.com/toy/@v/v9.9.9.zip", "/example.com/toy/@v/v9.9.9.info"] {
                    let got = await node.get(path)
                    #expect(got.status == 404)
                    #expect(got.text == body)
                    #expect(got.headers["Content-Type"] == "text/odd; x=y")
                }
            }
        }
    }
}
