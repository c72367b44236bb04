import Content
import ProxyFront
import Testing

@Suite struct RegistryRequestTests {
    private static let sha256 = "sha256:" + String(repeating: "ab", count: 32)
    private static let sha512 = "sha512:" + String(repeating: "cd", count: 64)

    @Test(arguments: [
        ("/v2", "base"), ("/v2/", "base"), ("/v2/_catalog", "catalog"),
        ("/v2/library/nginx/manifests/1.27", "manifest 1.27 of library/nginx"),
        ("/v2/nginx/manifests/\(sha256)", "manifest \(sha256) of nginx"),
        ("/v2/nginx/manifests/\(sha512)", "manifest \(sha512) of nginx"),
        ("/v2/nginx/manifests/sha256%3A\(String(sha256.dropFirst(7)))", "manifest \(sha256) of nginx"),
        ("/v2/a%2Fb/blobs/\(sha256)", "blob \(sha256) of a/b"),
        ("/v2/localhost:5000/a/blobs/\(sha512)", "blob \(sha512) of localhost:5000/a"),
        ("/v2/a/tags/list", "tags of a"),
        ("/v2/a/referrers/\(sha256)", "referrers \(sha256) of a"),
        // The words of the paths are names as good as any other.
        ("/v2/manifests/manifests/manifests/manifests", "manifest manifests of manifests/manifests"),
        ("/v2/blobs/uploads/blobs/\(sha256)", "blob \(sha256) of blobs/uploads"),
        ("/v2/tags/list/tags/list", "tags of tags/list"),
    ])
    func everyEndpointIsUnderstood(target: String, meaning: String) throws {
        let request = try RegistryRequest(target: target, query: "ns=quay.io&n=3")
        let found =
            switch request.endpoint {
            case .base: "base"
            case .catalog: "catalog"
            case .manifest(let reference): "manifest \(reference) of \(request.path)"
            case .blob(let digest): "blob \(digest) of \(request.path)"
            case .tags: "tags of \(request.path)"
            case .referrers(let digest, _): "referrers \(digest) of \(request.path)"
            }
        #expect(found == meaning)
        #expect(request.namespace == "quay.io")
    }

    @Test(
        arguments: [
            ("/v2/a/manifests/.bad", nil, 404, "MANIFEST_UNKNOWN"),
            ("/v2/a/manifests/\(String(repeating: "t", count: 129))", nil, 404, "MANIFEST_UNKNOWN"),
            ("/v2/a/manifests/sha256:abc", nil, 400, "DIGEST_INVALID"),
            ("/v2/a/blobs/latest", nil, 400, "DIGEST_INVALID"),
            ("/v2/a/blobs/md5:\(String(repeating: "ab", count: 16))", nil, 400, "DIGEST_INVALID"),
            ("/v2/a/blobs/\(sha256.uppercased())", nil, 400, "DIGEST_INVALID"),
            ("/v2/a/referrers/latest", nil, 400, "DIGEST_INVALID"),
            ("/v2/a/tags/list", "n=x", 400, "PAGINATION_NUMBER_INVALID"),
            ("/v2/_catalog", "n=-1", 400, "PAGINATION_NUMBER_INVALID"),
            ("/v2/a/blobs/uploads/", nil, 404, "BLOB_UPLOAD_UNKNOWN"),
            ("/v2/a/blobs/uploads/some-id", nil, 404, "BLOB_UPLOAD_UNKNOWN"),
            ("/v2/a", nil, 404, "UNSUPPORTED"), ("/v2/a/tags", nil, 404, "UNSUPPORTED"),
            ("/v2/a/%ff/manifests/x", nil, 400, "NAME_INVALID"),
            ("/v2/a/tags/list", "last=%ff", 400, "UNSUPPORTED"),
        ] as [(String, String?, Int, String)])
    func whatIsMalformedGetsTheCodeOfTheSpecification(
        target: String, query: String?, status: Int, code: String
    ) {
        let error = #expect(throws: RegistryError.self) {
            try RegistryRequest(target: target, query: query)
        }
        #expect(error?.status.code == status)
        #expect(error?.code.rawValue == code)
    }
}

@Suite struct PageTests {
    private let tags = ["b", "A", "c", "B", "a"]

    @Test(
        arguments: [
            (nil, nil, ["A", "a", "B", "b", "c"], false), (0, nil, [], false), (2, nil, ["A", "a"], true),
            (5, nil, ["A", "a", "B", "b", "c"], false), (9, "B", ["b", "c"], false), (1, "B", ["b"], true),
            // `last` need not be on the list.
            (nil, "bb", ["c"], false), (nil, "z", [], false),
        ] as [(Int?, String?, [String], Bool)])
    func aListIsCutWhereItWasAskedFor(
        count: Int?, last: String?, expected: [String], hasMore: Bool
    ) {
        let cut = Page(count: count, last: last).cut(tags)
        #expect(cut.entries == expected)
        #expect(cut.hasMore == hasMore)
    }
}
