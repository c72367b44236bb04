import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import ProxyFront
import Testing

/// Registries with certificates of an authority of their own, and those that want to see one of the node's.
@Suite struct RegistryTLSTests {
    private static let manifest = #"{"schemaVersion":2,"layers":[]}"#

    @Test func aPrivateAuthorityIsTrustedForItsRegistryOnly() async throws {
        try await withSite(wantsCertificate: false) { site in
            try await TestRegistryClient.running([site.url], registry: { $0.caFiles = [site.authority] }) {
                node in
                let found = try await node.manifest("app")
                #expect(found.bytes == Array(Self.manifest.utf8))
            }
            try await TestRegistryClient.running([site.url]) { node in
                #expect(await failure { try await node.manifest("app") } != nil)
            }
        }
    }

    @Test func aRegistryThatWantsTheNodesCertificateSeesIt() async throws {
        try await withSite(wantsCertificate: true) { site in
            let shown: (inout RegistryUpstream) -> Void = { registry in
                registry.caFiles = [site.authority]
                registry.clientCertificateFile = site.certificate
                registry.clientKeyFile = site.key
            }
            try await TestRegistryClient.running([site.url], registry: shown) { node in
                let found = try await node.manifest("app")
                #expect(found.bytes == Array(Self.manifest.utf8))
            }
            try await TestRegistryClient.running([site.url], registry: { $0.caFiles = [site.authority] }) {
                node in
                #expect(await failure { try await node.manifest("app") } != nil)
            }
        }
    }

    @Test func aFileThatHoldsNoCertificateIsNamed() async throws {
        try await withSite(wantsCertificate: false) { site in
            let error = await #expect(throws: UpstreamClientError.self) {
                try await TestRegistryClient.running([site.url], registry: { $0.caFiles = [site.key] }) { _ in
                }
            }
            #expect(error?.description.contains(site.key) == true)
        }
    }

    // MARK: the site

    private struct Site {
        let url: String
        let authority: String
        /// The node's own, signed by the authority.
        let certificate: String
        let key: String
    }

    private func withSite(wantsCertificate: Bool, _ body: (Site) async throws -> Void) async throws {
        let folder = TestNode.temporaryDirectory()
        defer { TestNode.remove(folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await openssl(
            "req -x509 \(Self.newKey) -days 2 -subj /CN=authority -keyout \(folder)/ca.key -out \(folder)/ca.pem"
        )
        for name in ["server", "node"] {
            try await openssl(
                "req -x509 \(Self.newKey) -days 2 -subj /CN=\(name) -addext subjectAltName=IP:127.0.0.1 "
                    + "-addext basicConstraints=critical,CA:FALSE -CA \(folder)/ca.pem -CAkey \(folder)/ca.key "
                    + "-keyout \(folder)/\(name).key -out \(folder)/\(name).pem")
        }
        let server = try await Self.serve(folder, wantsCertificate: wantsCertificate)
        do {
            try await body(
                Site(
                    url: "https://127.0.0.1:\(server.localAddress?.port ?? 0)", authority: "\(folder)/ca.pem",
                    certificate: "\(folder)/node.pem", key: "\(folder)/node.key"))
        } catch {
            try await server.close()
            throw error
        }
        try await server.close()
    }

    private static let newKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"

    private func openssl(_ words: String) async throws {
        let made = try await runProgram("/usr/bin/openssl", words.split(separator: " ").map(String.init))
        try #require(made.status == 0, "openssl \(words)")
    }

    /// Answers everything with one manifest, to those who show a certificate of the authority if it wants one.
    private static func serve(_ folder: String, wantsCertificate: Bool) async throws -> any Channel {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile("\(folder)/server.pem").map {
                .certificate($0)
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: "\(folder)/server.key", format: .pem)))
        if wantsCertificate {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .file("\(folder)/ca.pem")
        }
        let context = try NIOSSLContext(configuration: tls)
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.addHandler(OneAnswer())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class OneAnswer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private var head = ""

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            head += String(buffer: unwrapInboundIn(data))
            guard head.hasSuffix("\r\n\r\n") else { return }
            head = ""
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n"
                + "Content-Length: \(RegistryTLSTests.manifest.utf8.count)\r\n\r\n\(RegistryTLSTests.manifest)"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }
}
