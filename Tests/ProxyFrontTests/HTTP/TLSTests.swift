import Content
import Foundation
import ProxyFront
import Testing

@Suite("TLS")
struct TLSTests {
    /// Makes a self-signed certificate in a folder that is removed afterwards.
    func withCertificate(_ body: (TLSSettings) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "edgenode-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificate, key) = (
            folder.appending(path: "cert.pem").path, folder.appending(path: "key.pem").path
        )
        let made = try await runProgram(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "2", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                certificate,
            ])
        #expect(made.status == 0)
        try await body(TLSSettings(certificateFile: certificate, keyFile: key))
    }

    @Test("serves small answers, files and streams, and agrees on http/1.1")
    func serves() async throws {
        let bytes = TestFile.pattern(3_000_000)
        let file = try TestFile.open(bytes)
        let stream = PushedBody()
        stream.push("streamed")
        stream.end()
        let responder = ScriptedResponder { request in
            switch request.target {
            case "/f": .now(Response(status: .ok, body: .file(FileSlice(file: file, range: 5..<3_000_000))))
            case "/s": .now(Response(status: .ok, body: .stream(length: nil, stream)))
            default: .now(.text(.ok, "secure: \(request.isSecure)"))
            }
        }
        try await withCertificate { settings in
            try await withServer(responder) {
                $0.tls = settings
            } _: { port in
                func curl(_ path: String, _ more: String...) async throws -> [UInt8] {
                    let fixed = ["--silent", "--max-time", "20", "--cacert", settings.certificateFile]
                    return try await runProgram(
                        "/usr/bin/curl", fixed + more + ["https://127.0.0.1:\(port)\(path)"]
                    )
                    .output
                }
                #expect(String(decoding: try await curl("/x"), as: UTF8.self) == "secure: true\n")
                for isCold in [false, true] {
                    if isCold { posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) }
                    let isRight = try await curl("/f").elementsEqual(bytes[5...])
                    #expect(isRight)
                }
                let isRange = try await curl("/f", "--range", "100-2000000").elementsEqual(
                    bytes[105...2_000_005])
                #expect(isRange)
                #expect(String(decoding: try await curl("/s"), as: UTF8.self) == "streamed")
                let version = try await curl(
                    "/x", "--http2", "--output", "/dev/null", "--write-out", "%{http_version}")
                #expect(String(decoding: version, as: UTF8.self) == "1.1")
            }
        }
    }

    @Test("tells a plain client, and a TLS client on a plain port, what is wrong")
    func mixedUp() async throws {
        try await withServer(ScriptedResponder([:])) { port in
            let client = try RawClient(port: port)
            try await client.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])
            let answer = String(decoding: try await client.readToEnd().bytes, as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("TLS"))
        }
        try await withCertificate { settings in
            try await withServer(ScriptedResponder([:])) {
                $0.tls = settings
            } _: { port in
                let client = try RawClient(port: port)
                try await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                let bytes = try await client.readToEnd().bytes
                #expect(!String(decoding: bytes, as: UTF8.self).contains("200"))
            }
        }
    }

    @Test("names the file that cannot be used")
    func badFiles() async throws {
        try await withCertificate { good in
            let garbage = good.certificateFile + ".garbage"
            try Data("garbage".utf8).write(to: URL(filePath: garbage))
            defer { try? FileManager.default.removeItem(atPath: garbage) }
            let cases: [(TLSSettings, String)] = [
                (
                    TLSSettings(certificateFile: "/nowhere/cert.pem", keyFile: good.keyFile),
                    "/nowhere/cert.pem"
                ),
                (TLSSettings(certificateFile: garbage, keyFile: good.keyFile), garbage),
                (
                    TLSSettings(certificateFile: good.certificateFile, keyFile: "/nowhere/key.pem"),
                    "/nowhere/key.pem"
                ),
                (TLSSettings(certificateFile: good.certificateFile, keyFile: garbage), garbage),
            ]
            for (settings, name) in cases {
                var configuration = HTTPServer.Configuration(listen: [.init(host: "127.0.0.1", port: 0)])
                configuration.tls = settings
                let error = await #expect(throws: TLSSettingsError.self) {
                    _ = try await HTTPServer.start(
                        configuration, responder: ScriptedResponder([:]), metrics: Metrics())
                }
                #expect(error?.description.contains(name) == true)
            }
            try await withCertificate { other in
                var configuration = HTTPServer.Configuration(listen: [.init(host: "127.0.0.1", port: 0)])
                configuration.tls = TLSSettings(certificateFile: good.certificateFile, keyFile: other.keyFile)
                await #expect(throws: TLSSettingsError.self) {
                    _ = try await HTTPServer.start(
                        configuration, responder: ScriptedResponder([:]), metrics: Metrics())
                }
            }
        }
    }
}
