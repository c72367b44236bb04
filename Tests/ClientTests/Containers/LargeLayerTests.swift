import Foundation
import Testing

extension ContainerTests {
    @Suite("a large layer", .timeLimit(.minutes(15)))
    struct LargeLayers {
        private struct Manifest: Decodable {
            struct Layer: Decodable { var digest: String }
            var layers: [Layer]
        }

        /// The path of the only layer of synthetic/large.
        private static func layer(_ site: RegistrySite) async throws -> String {
            let manifest = try await site.fetch("/v2/synthetic/large/manifests/latest", seconds: 120)
            try #require(manifest.status == 200, "\(manifest.text)")
            let layers = try JSONDecoder().decode(Manifest.self, from: Data(manifest.body)).layers
            return "/v2/synthetic/large/blobs/" + (try #require(layers.first).digest)
        }

        @Test("a lazy reader of 1 MB of a cold 1 GB layer costs upstream about that")
        func lazy() async throws {
            try await withRegistrySite(.init(synthetic: ["large": 1 << 30])) { site in
                let path = try await Self.layer(site)
                for start in [512 << 20, (1 << 30) - (1 << 20), 0] {
                    try await site.upstream.forget()
                    let range = "\(start)-\(start + (1 << 20) - 1)"
                    let answer = try await site.fetch(path, headers: ["Range": "bytes=\(range)"])
                    #expect(answer.status == 206 && answer.body.count == 1 << 20, "\(answer.status)")
                    #expect(answer.headers["content-range"] == "bytes \(range)/\(1 << 30)")
                    let bytes = try await site.upstream.log().reduce(0) { $0 + $1.bytes }
                    // A reader of the beginning may be one of the whole: what is under way when it leaves is wasted.
                    let most = start == 0 ? 16 << 20 : (1 << 20) + 4096
                    #expect(bytes >= 1 << 20 && bytes <= most, "\(range) cost \(bytes) bytes of upstream")
                }
            }
        }

        @Test("a layer streams through in flat memory, whatever its size")
        func flat() async throws {
            let size = Project.isSoak ? 10 << 30 : 1 << 30
            try await withRegistrySite(.init(synthetic: ["large": size])) { site in
                let path = try await Self.layer(site)
                let digest = try #require(path.split(separator: ":").last)
                let pid = try site.node.process.processID()
                for round in ["cold", "held"] {
                    let script = "curl --silent --fail '\(site.node.url + path)' | sha256sum"
                    let end = try await site.lab.network.run("/bin/sh", ["-c", script], seconds: 600)
                    #expect(end.code == 0 && end.text.hasPrefix(digest), "\(round): \(end.text)")
                    let resident = try Self.mostResident(pid)
                    #expect(resident < 100 << 20, "\(round): \(resident >> 20) MiB resident")
                }
                #expect(try await site.upstream.counts()[path]?.gets == 1)
            }
        }

        /// The most memory that a process ever had resident, in bytes.
        private static func mostResident(_ pid: pid_t) throws -> Int {
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
            return try #require(Int(line.filter(\.isNumber))) << 10
        }
    }
}
