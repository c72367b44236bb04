import Foundation
import Logging
import NIOPosix
import ProxyFront

/// Whether the configured upstreams answer, as the node would ask them: with its credentials, proxy and certificates.
enum UpstreamChecks {
    private static let atOnce = 8

    static func findings(_ configuration: Configuration) async -> [Finding] {
        do {
            let secrets = try NodeSecrets.read(for: configuration)
            var settings = configuration.upstreamConfiguration(secrets)
            settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
            settings.firstByteTimeout = min(settings.firstByteTimeout, .seconds(10))
            let client = try HTTPUpstreamClient(
                settings, group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() })
            let findings = await probe(try upstreams(configuration, secrets), with: client)
            try? await client.shutdown()
            return findings
        } catch {
            return [.bad("upstreams", "\(error)")]
        }
    }

    private static func upstreams(_ configuration: Configuration, _ secrets: NodeSecrets) throws -> [Upstream]
    {
        var places = configuration.go.upstreams.upstreams
        places += try configuration.sumdbs.map { try $0.database.upstream }
        for registry in configuration.registryUpstreams(secrets.registries) {
            places += try registry.places()
        }
        var seen: Set<String> = []
        return places.filter { seen.insert($0.name).inserted }
    }

    private static func probe(_ places: [Upstream], with client: HTTPUpstreamClient) async -> [Finding] {
        await withTaskGroup(of: (Int, Finding).self) { group in
            var (found, next) = ([Int: Finding](), 0)
            func add() {
                guard next < places.count else { return }
                let (number, place) = (next, places[next])
                next += 1
                group.addTask { (number, await finding(place, client)) }
            }
            for _ in 0..<atOnce { add() }
            for await (number, finding) in group {
                found[number] = finding
                add()
            }
            var findings = places.indices.compactMap { found[$0] }
            // One word for all of them: mostly it is one line that is down.
            if let last = findings.lastIndex(where: { $0.verdict != .good }) {
                findings[last].remedy =
                    "what is held is served all the same; look at name resolution, route, upstream.proxy and upstream.ca_files"
            }
            return findings
        }
    }

    private static func finding(_ place: Upstream, _ client: HTTPUpstreamClient) async -> Finding {
        let start = ContinuousClock.now
        do throws(UpstreamFailure) {
            try await client.probe(place)
            let span = ((ContinuousClock.now - start) / .milliseconds(1)).rounded()
            return .good("upstream", "\(place.base) answers (\(Int(span)) ms)")
        } catch {
            return .warning("upstream", "\(error)")
        }
    }
}
