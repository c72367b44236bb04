import Foundation
import Testing

/// What a client does when its mirror has not got what it wants: the wire log behind docs/registry-clients.md.
extension ContainerTests {
    @Suite("when the mirror cannot help", .timeLimit(.minutes(10)))
    struct Fallback {
        /// What the mirror lacks.
        enum Lack: String, CaseIterable { case manifest, blob }

        struct Measure {
            /// The most requests that any one lacking thing cost at the mirror.
            var asked = 0
            /// From the first answer that the mirror failed with to the first request at the real registry.
            var milliseconds: Double?
            var pull: Pull
        }

        /// A pull from a mirror that fails with `status`.
        static func measure(
            _ kind: ContainerClientKind, _ lack: Lack, _ status: Int, headers: [String: String] = [:]
        ) async throws -> Measure {
            let lab = try #require(ContainerLab.current)
            let mirror = try await Relay.start(
                .init(address: ContainerLab.mirror, target: ContainerLab.registry), in: lab.network)
            let path = "/v2/.*/\(lack.rawValue)s/.*"
            let body = #"{"errors":[{"code":"UNKNOWN","message":"not to be had here"}]}"#
            try await mirror.set([
                .init(path: path, action: "status", status: status, body: body, headers: headers)
            ])
            let client = try await lab.client(kind)
            try await lab.forgetFallbacks()
            let pull = try await client.pull("library/small:gzip")
            let log = try await mirror.log()
            let fallbacks = try await lab.fallbacks()
            try await mirror.stop()
            let lacking = log.filter { $0.status == status && $0.path.contains("/\(lack.rawValue)s/") }
            let costs = Dictionary(grouping: lacking, by: \.path).values.map(\.count)
            var measure = Measure(asked: costs.max() ?? 0, pull: pull)
            if let failed = lacking.first, let next = fallbacks.map(\.at).min() {
                measure.milliseconds = next - failed.at - failed.took
            }
            return measure
        }

        @Test(
            "the table of requests and times", .enabled(if: Project.isSoak),
            arguments: ContainerClientKind.allCases)
        func table(kind: ContainerClientKind) async throws {
            for lack in Lack.allCases {
                for status in [403, 404, 429, 500, 502, 503, 504] {
                    let measure = try await Self.measure(kind, lack, status)
                    let time = measure.milliseconds.map { String(Int($0.rounded())) } ?? "-"
                    print(
                        "WIRE", kind.rawValue, lack.rawValue, status, measure.asked, time,
                        measure.pull.succeeded ? "pulled" : "failed", separator: "\t")
                    #expect(measure.asked > 0, "\(measure.pull.text)")
                }
            }
        }

        /// Why a node that works cannot help.
        enum Trouble: String, CaseIterable {
            case unknownImage, upstreamGone, upstreamBroken, rateLimited, forbidden
        }

        @Test(
            "a node that cannot help costs a client at most two requests a thing before it goes elsewhere",
            arguments: Trouble.allCases)
        func atMostTwo(trouble: Trouble) async throws {
            for kind in ContainerClientKind.allCases {
                try await withRegistrySite(.init(hasFront: true)) { site in
                    let front = try #require(site.front)
                    let manifests = "/v2/.*/manifests/.*"
                    switch trouble {
                    case .unknownImage:
                        try await site.upstream.set([.init(path: manifests, action: "status", status: 404)])
                    case .upstreamGone: try await site.stopUpstream()
                    case .upstreamBroken:
                        try await site.upstream.set([.init(path: ".*", action: "status", status: 500)])
                    case .rateLimited:
                        let patience = ["Retry-After": "60"]
                        try await site.upstream.set([
                            .init(path: manifests, action: "status", status: 429, headers: patience)
                        ])
                    case .forbidden:
                        try await site.upstream.set([.init(path: ".*", action: "status", status: 403)])
                    }
                    let image = try TestImage.named("library/small:gzip")
                    let client = try await site.lab.client(kind)
                    let pull = try await client.pull(image.name)
                    #expect(pull.succeeded, "\(kind): \(pull.text)")
                    #expect(try await client.holds(image, "amd64"), "\(kind): \(pull.text)")
                    let log = try await front.log().filter { $0.path != "/v2/" }
                    for (path, requests) in Dictionary(grouping: log, by: \.path) {
                        let statuses = requests.map { "\($0.method) \($0.status)" }
                        #expect(requests.count <= 2, "\(kind): \(path): \(statuses)")
                    }
                    #expect(!log.isEmpty, "\(kind) did not ask its mirror")
                    if trouble == .upstreamGone { try await site.startUpstream() }
                }
            }
        }
    }
}
