import Content
import Foundation
import ProxyFront
import Testing

/// The reading half of the OCI distribution specification 1.1, over HTTP as clients speak it.
@Suite struct ConformanceTests {
    private static let image = TestImage("conformance", layerSizes: [200_000])
    private static let wide = TestImage("wide", algorithm: .sha512)
    private static let signature = TestImage(
        "signature", layerSizes: [10], artifactType: "application/vnd.example.signature", subject: image)

    private func onRegistry(_ body: (RegistryFront, StandInRegistry) async throws -> Void) async throws {
        let registry = StandInRegistry()
        registry.change("docker.io/library/app") { shelf in
            Self.image.add(to: &shelf, tags: ["1.0", "latest", "Beta"])
            Self.signature.add(to: &shelf)
            shelf.referrers[Self.image.digest] = [
                Descriptor(
                    mediaType: MediaType.manifest, digest: Self.signature.digest,
                    size: Int64(Self.signature.manifest.count),
                    artifactType: "application/vnd.example.signature", annotations: ["who": "me"]),
                Descriptor(
                    mediaType: MediaType.manifest, digest: Self.wide.digest, size: 7,
                    artifactType: "application/vnd.example.sbom"),
            ]
        }
        registry.change("quay.io/team/wide") { Self.wide.add(to: &$0, tags: ["1"], algorithm: .sha512) }
        try await RegistryNode.running(registry) { node in
            try await RegistryFront.serving(node) { try await body($0, registry) }
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var method = "GET"
        let path: String
        var fields: [String] = []
        let status: Int
        /// Of the error, where there is one.
        var code: String?
        var headers: [String: String] = [:]
        var body: [UInt8]?
        var testDescription: String { "\(method) \(path)" }
    }

    private static var layer: Digest { image.layerDigest() }
    private static let unknown = "sha256:" + String(repeating: "00", count: 32)

    private static var rows: [Row] {
        let manifest = [
            "content-type": MediaType.manifest, "docker-content-digest": "\(image.digest)",
            "etag": "\"\(image.digest)\"", "content-length": "\(image.manifest.count)",
            "docker-distribution-api-version": "registry/2.0",
        ]
        let blob = [
            "content-type": MediaType.octets, "docker-content-digest": "\(layer)", "etag": "\"\(layer)\"",
            "accept-ranges": "bytes",
        ]
        let name = "/v2/library/app"
        let wideBlob = wide.layerDigest(0, .sha512)
        return [
            Row(path: "/v2/", status: 200, headers: ["docker-distribution-api-version": "registry/2.0"]),
            Row(path: "/v2", status: 200),
            Row(method: "HEAD", path: "/v2/", status: 200),
            Row(path: "\(name)/manifests/1.0", status: 200, headers: manifest, body: image.manifest),
            Row(path: "/v2/app/manifests/1.0", status: 200, headers: manifest, body: image.manifest),
            Row(
                path: "/v2/app/manifests/1.0?ns=docker.io", status: 200,
                headers: manifest.merging(["oci-namespace": "docker.io"]) { $1 }, body: image.manifest),
            Row(
                path: "/v2/docker.io/library/app/manifests/1.0", status: 200, headers: manifest,
                body: image.manifest),
            Row(path: "/v2/index.docker.io/app/manifests/latest", status: 200, body: image.manifest),
            Row(method: "HEAD", path: "\(name)/manifests/1.0", status: 200, headers: manifest, body: []),
            Row(
                path: "\(name)/manifests/\(image.digest)", status: 200, headers: manifest,
                body: image.manifest),
            Row(
                path: "\(name)/manifests/1.0", fields: ["If-None-Match: \"\(image.digest)\""], status: 304,
                body: []),
            Row(
                path: "\(name)/manifests/1.0", fields: ["Accept-Encoding: gzip, zstd"], status: 200,
                headers: ["content-encoding": ""], body: image.manifest),
            Row(
                path: "/v2/team/wide/manifests/\(wide.digest)?ns=quay.io", status: 200,
                headers: ["docker-content-digest": "\(wide.digest)", "oci-namespace": "quay.io"],
                body: wide.manifest),
            Row(
                path: "/v2/quay.io/team/wide/blobs/\(wideBlob)", status: 200,
                headers: ["docker-content-digest": "\(wideBlob)"], body: wide.layers[0]),
            Row(path: "\(name)/manifests/2.0", status: 404, code: "MANIFEST_UNKNOWN"),
            Row(path: "\(name)/manifests/.INVALID", status: 404, code: "MANIFEST_UNKNOWN"),
            Row(path: "\(name)/manifests/\(unknown)", status: 404, code: "MANIFEST_UNKNOWN"),
            Row(path: "\(name)/manifests/sha256:short", status: 400, code: "DIGEST_INVALID"),
            Row(path: "/v2/library/none/manifests/1.0", status: 404, code: "MANIFEST_UNKNOWN"),
            Row(path: "/v2/library/App/manifests/1.0", status: 400, code: "NAME_INVALID"),
            Row(path: "/v2/app/manifests/1.0?ns=unknown.example", status: 404, code: "NAME_UNKNOWN"),
            Row(path: "/v2/unknown.example/app/manifests/1.0", status: 404, code: "NAME_UNKNOWN"),
            Row(path: "\(name)/blobs/\(layer)", status: 200, headers: blob, body: image.layers[0]),
            Row(
                method: "HEAD", path: "\(name)/blobs/\(layer)", status: 200,
                headers: blob.merging(["content-length": "200000"]) { $1 }, body: []),
            Row(
                path: "\(name)/blobs/\(layer)", fields: ["Range: bytes=100-199"], status: 206,
                headers: ["content-range": "bytes 100-199/200000", "content-length": "100"],
                body: Array(image.layers[0][100..<200])),
            Row(
                path: "\(name)/blobs/\(layer)", fields: ["Range: bytes=199990-"], status: 206,
                body: Array(image.layers[0][199_990...])),
            Row(
                path: "\(name)/blobs/\(layer)", fields: ["Range: bytes=-10"], status: 206,
                body: Array(image.layers[0][199_990...])),
            Row(
                path: "\(name)/blobs/\(layer)", fields: ["Range: bytes=200000-"], status: 416,
                headers: ["content-range": "bytes */200000"]),
            Row(
                path: "\(name)/blobs/\(layer)", fields: ["Range: bytes=0-9", "If-Range: \"other\""],
                status: 200,
                body: image.layers[0]),
            Row(path: "\(name)/blobs/\(unknown)", status: 404, code: "BLOB_UNKNOWN"),
            Row(method: "HEAD", path: "\(name)/blobs/\(unknown)", status: 404),
            Row(path: "\(name)/blobs/latest", status: 400, code: "DIGEST_INVALID"),
            Row(path: "\(name)/tags/list", status: 200, body: Self.tags(["1.0", "Beta", "latest"])),
            Row(
                path: "\(name)/tags/list?n=2", status: 200,
                headers: ["link": "<\(name)/tags/list?n=2&last=Beta>; rel=\"next\""],
                body: Self.tags(["1.0", "Beta"])),
            Row(
                path: "\(name)/tags/list?n=2&last=Beta", status: 200, headers: ["link": ""],
                body: Self.tags(["latest"])),
            Row(path: "\(name)/tags/list?n=0", status: 200, headers: ["link": ""], body: Self.tags([])),
            Row(path: "\(name)/tags/list?n=many", status: 400, code: "PAGINATION_NUMBER_INVALID"),
            Row(path: "/v2/library/none/tags/list", status: 404, code: "NAME_UNKNOWN"),
            Row(
                path: "\(name)/referrers/\(image.digest)", status: 200,
                headers: ["content-type": MediaType.index, "oci-filters-applied": ""]),
            Row(
                path: "\(name)/referrers/\(image.digest)?artifactType=application%2Fvnd.example.signature",
                status: 200, headers: ["oci-filters-applied": "artifactType"]),
            Row(
                path: "\(name)/referrers/\(unknown)", status: 200,
                body: Array(#"{"manifests":[],"mediaType":"\#(MediaType.index)","schemaVersion":2}"#.utf8)),
            Row(path: "\(name)/referrers/latest", status: 400, code: "DIGEST_INVALID"),
            Row(path: "/v2/library/none/referrers/\(unknown)", status: 200),
            Row(method: "PUT", path: "\(name)/manifests/1.0", status: 405, code: "UNSUPPORTED"),
            Row(method: "DELETE", path: "\(name)/manifests/1.0", status: 405, code: "UNSUPPORTED"),
            Row(method: "DELETE", path: "\(name)/blobs/\(layer)", status: 405, code: "UNSUPPORTED"),
            Row(method: "POST", path: "\(name)/blobs/uploads/", status: 405, code: "UNSUPPORTED"),
            Row(
                method: "POST", path: "\(name)/blobs/uploads/?mount=\(layer)&from=library/x", status: 405,
                code: "UNSUPPORTED"),
            Row(method: "PATCH", path: "\(name)/blobs/uploads/1", status: 405, code: "UNSUPPORTED"),
            Row(
                method: "PUT", path: "\(name)/blobs/uploads/1?digest=\(layer)", status: 405,
                code: "UNSUPPORTED"),
            Row(method: "OPTIONS", path: "\(name)/manifests/1.0", status: 405, code: "UNSUPPORTED"),
            Row(path: "\(name)/blobs/uploads/1", status: 404, code: "BLOB_UPLOAD_UNKNOWN"),
            Row(path: "\(name)", status: 404, code: "UNSUPPORTED"),
        ]
    }

    private static func tags(_ tags: [String]) -> [UInt8] {
        let list = tags.map { "\"\($0)\"" }.joined(separator: ",")
        return Array(#"{"name":"library/app","tags":[\#(list)]}"#.utf8)
    }

    /// Every row twice: cold, and from the store.
    @Test func everyEndpointAnswersAsTheSpecificationSays() async throws {
        try await onRegistry { front, _ in
            for row in Self.rows {
                for temperature in ["cold", "held"] {
                    let got = try await front.ask(row.method, row.path, row.fields)
                    let what = "\(row.testDescription), \(temperature)"
                    #expect(got.status == row.status, "\(what)")
                    if let code = row.code { #expect(got.code == code, "\(what)") }
                    for (name, value) in row.headers {
                        #expect(got.headers[name] ?? "" == value, "\(what): \(name)")
                    }
                    if let body = row.body { #expect(got.body == body, "\(what)") }
                    #expect(got.headers["docker-distribution-api-version"] == "registry/2.0", "\(what)")
                    try await front.node.waitUntilQuiet()
                }
            }
        }
    }

    @Test func severalRangesOfAHeldBlobComeInOneAnswer() async throws {
        try await onRegistry { front, _ in
            let path = "/v2/library/app/blobs/\(Self.layer)"
            _ = try await front.ask("GET", path)
            try await front.node.waitUntilQuiet()
            let got = try await front.ask("GET", path, ["Range: bytes=0-9,100-109"])
            #expect(got.status == 206)
            #expect(got.headers["content-type"]?.hasPrefix("multipart/byteranges; boundary=") == true)
            let layer = Self.image.layers[0]
            #expect(got.body.firstRange(of: layer[0..<10]) != nil)
            #expect(got.body.firstRange(of: layer[100..<110]) != nil)
            #expect(got.body.count < 1000)
        }
    }

    @Test func severalRangesOfAColdBlobAreAnsweredWithTheWhole() async throws {
        try await onRegistry { front, _ in
            let got = try await front.ask(
                "GET", "/v2/library/app/blobs/\(Self.layer)", ["Range: bytes=0-9,100-109"])
            #expect(got.status == 200)
            #expect(got.body == Self.image.layers[0])
        }
    }

    @Test func referrersAreFilteredByTheirType() async throws {
        try await onRegistry { front, _ in
            let all = try await front.ask("GET", "/v2/library/app/referrers/\(Self.image.digest)")
            #expect(try Manifest(parsing: all.body).manifests.count == 2)
            let some = try await front.ask(
                "GET",
                "/v2/library/app/referrers/\(Self.image.digest)?artifactType=application/vnd.example.signature"
            )
            let index = try Manifest(parsing: some.body)
            #expect(index.manifests.map(\.digest) == [Self.signature.digest])
            #expect(index.manifests.first?.annotations == ["who": "me"])
        }
    }

    @Test func theCatalogListsWhatIsHeldPageByPage() async throws {
        try await onRegistry { front, registry in
            for name in [
                "docker.io/library/b", "docker.io/library/b-b", "docker.io/library/b/b", "localhost:5000/x",
            ] {
                registry.change(name) { Self.image.add(to: &$0, tags: ["1", "2", "3"]) }
            }
            for path in ["b", "b-b", "b/b"] {
                for tag in 1...3 { _ = try await front.ask("GET", "/v2/library/\(path)/manifests/\(tag)") }
            }
            _ = try await front.ask("GET", "/v2/localhost:5000/x/manifests/1")
            _ = try await front.ask("GET", "/v2/quay.io/team/wide/manifests/\(Self.wide.digest)")
            let all = [
                "docker.io/library/b", "docker.io/library/b-b", "docker.io/library/b/b", "localhost:5000/x",
                "quay.io/team/wide",
            ]
            let got = try await front.ask("GET", "/v2/_catalog")
            let listed = try JSONDecoder().decode([String: [String]].self, from: Data(got.body))
            #expect(listed == ["repositories": all])
            var path = "/v2/_catalog?n=2"
            var seen: [String] = []
            while true {
                let page = try await front.ask("GET", path)
                let entries = try JSONDecoder().decode([String: [String]].self, from: Data(page.body))
                seen += entries["repositories"] ?? []
                guard let link = page.headers["link"] else { break }
                path = String(link.dropFirst().prefix { $0 != ">" })
            }
            #expect(seen == all)
            let hub = try await front.ask("GET", "/v2/_catalog?ns=docker.io&n=1")
            #expect(String(decoding: hub.body, as: UTF8.self) == #"{"repositories":["library/b"]}"#)
            #expect(hub.headers["link"] == "</v2/_catalog?n=1&last=library%2Fb&ns=docker.io>; rel=\"next\"")
            for name in listed["repositories"] ?? [] {
                #expect(try await front.ask("GET", "/v2/\(name)/tags/list").status == 200)
            }
        }
    }

    @Test func repeatedAcceptLinesAreOneList() async throws {
        try await onRegistry { front, registry in
            _ = try await front.ask("GET", "/v2/app/manifests/1.0")
            registry.forgetAsked()
            let lines = ["application/json", MediaType.index, MediaType.manifest].map { "Accept: \($0)" }
            let got = try await front.ask("GET", "/v2/app/manifests/1.0", lines)
            #expect(got.status == 200)
            #expect(registry.asked.isEmpty, "one of the lines names the type that is held")
            _ = try await front.ask("GET", "/v2/app/manifests/1.0", ["Accept: \(MediaType.dockerManifest)"])
            #expect(registry.asked == ["HEAD docker.io/library/app:1.0 anonymous"])
        }
    }
}
