import Foundation

/// What all tests with container clients share, in one loopback-only network: a docker-registry with the test images,
/// stand-ins for the real Docker Hub, a containerd and a dockerd. Everything ends with the suite.
final class ContainerLab: Sendable {
    /// The lab of the suite that runs.
    @TaskLocal static var current: ContainerLab?

    /// Where clients look for their mirror, and the port of it.
    static let mirrorPort: UInt16 = 5000
    static let mirror = "127.0.0.1:5000"
    /// The registry that holds the images.
    static let registry = "http://127.0.0.1:5001"

    let scratch: Scratch
    /// Of the clients' configuration.
    let folder: String
    let network: LoopbackNamespace
    /// What clients fall back to: containerd, podman, buildah and skopeo to the one, docker to the other.
    let origin: Relay
    let dockerHub: Relay
    private let dockerd: ChildProcess
    private let containerd: ChildProcess
    private let registry: ChildProcess

    private init(
        _ scratch: Scratch, _ folder: String, _ network: LoopbackNamespace, origin: Relay, dockerHub: Relay,
        dockerd: ChildProcess, containerd: ChildProcess, registry: ChildProcess
    ) {
        (self.scratch, self.folder, self.network) = (scratch, folder, network)
        (self.origin, self.dockerHub) = (origin, dockerHub)
        (self.dockerd, self.containerd, self.registry) = (dockerd, containerd, registry)
    }

    static func start() async throws -> ContainerLab {
        let scratch = try Scratch()
        let folder = try scratch.folder("lab")
        let network = try await LoopbackNamespace.make(
            hosts: ["registry-1.docker.io": "127.0.0.9"], in: folder)
        try ContainerConfiguration.write(to: folder)
        let certificate = try await makeCertificate(in: folder)
        let origin = try await Relay.start(.init(address: "127.0.0.1:5009", target: registry), in: network)
        let dockerHub = try await Relay.start(
            .init(address: "127.0.0.9:443", target: registry, certificate: certificate), in: network)

        let environment = Self.environment(folder)
        let registryProcess = try network.start(
            program("docker-registry"), ["serve", folder + "/registry.yml"])
        try await untilAnswering(registryProcess, network, registry + "/v2/")
        let containerd = try network.start(
            program("containerd"), ["--config", folder + "/containerd.toml"], environment: environment)
        let dockerd = try network.start(
            program("dockerd"), ["--config-file", folder + "/daemon.json"],
            environment: environment.merging(["SSL_CERT_FILE": certificate.file]) { $1 })
        let lab = ContainerLab(
            scratch, folder, network, origin: origin, dockerHub: dockerHub, dockerd: dockerd,
            containerd: containerd, registry: registryProcess)
        try await lab.untilSucceeding(containerd, "ctr", ["--address", lab.containerdSocket, "version"])
        try await lab.untilSucceeding(dockerd, "docker", ["version"])
        return lab
    }

    func stop() async throws {
        for daemon in [dockerd, containerd, registry] { _ = try await blocking { try daemon.terminate() } }
        try await origin.stop()
        try await dockerHub.stop()
        try await network.end()
    }

    var containerdSocket: String { "/run/containerd.sock" }

    /// What the daemon of a client has said; clients without one say it themselves.
    func daemonLog(of kind: ContainerClientKind) -> String {
        switch kind {
        case .docker: dockerd.text
        case .containerd: containerd.text
        case .podman, .buildah, .skopeo: ""
        }
    }

    /// A client of that kind that holds nothing.
    func client(_ kind: ContainerClientKind) async throws -> any ContainerClient {
        let client: any ContainerClient =
            switch kind {
            case .containerd: Containerd(lab: self)
            case .docker: DockerEngine(lab: self)
            case .podman, .buildah: Podman(lab: self, kind: kind)
            case .skopeo: try Skopeo(self)
            }
        try await client.empty()
        return client
    }

    /// Runs one of the clients' programs.
    func run(_ name: String, _ arguments: [String], seconds: Double) async throws -> (
        code: Int32, text: String
    ) {
        try await network.run(
            Self.program(name), arguments, environment: Self.environment(folder), seconds: seconds)
    }

    func fetch(
        _ url: String, method: String = "GET", headers: [String: String] = [:], seconds: Double = 60
    ) async throws -> HTTPAnswer {
        try await ClientTests.fetch(url, method: method, headers: headers, seconds: seconds, in: network)
    }

    /// Requests that clients made of the real registry, as they do when the mirror fails them.
    func fallbacks() async throws -> [Relay.Entry] { try await origin.log() + dockerHubLog() }

    func forgetFallbacks() async throws {
        try await origin.forget()
        _ = try await dockerHubControl("DELETE")
    }

    // The stand-in of Docker Hub speaks TLS, which curl knows.
    private func dockerHubLog() async throws -> [Relay.Entry] {
        try JSONDecoder().decode([Relay.Entry].self, from: Data(try await dockerHubControl("GET").utf8))
    }

    private func dockerHubControl(_ method: String) async throws -> String {
        let end = try await network.run(
            "/usr/bin/curl",
            [
                "--silent", "--show-error", "--fail", "--cacert", folder + "/hub.pem", "--request", method,
                "https://registry-1.docker.io/_control/log",
            ], seconds: 30)
        guard end.code == 0 else { throw TestFailure("no log of the stand-in of Docker Hub: \(end.text)") }
        return end.text
    }
}

// MARK: - Starting

extension ContainerLab {
    private static let programs = Project.cache + "/clients"

    static func program(_ name: String) -> String {
        programs + (name == "dockerd" ? "/usr/sbin/" : "/usr/bin/") + name
    }

    private static func environment(_ folder: String) -> [String: String] {
        [
            "HOME": folder, "DOCKER_CONFIG": folder + "/docker", "DOCKER_HOST": "unix:///run/docker.sock",
            "PATH": "\(programs)/usr/bin:\(programs)/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LD_LIBRARY_PATH":
                "\(programs)/usr/lib/x86_64-linux-gnu:\(programs)/lib/x86_64-linux-gnu",
            "CONTAINERS_CONF": folder + "/containers.conf",
            "CONTAINERS_REGISTRIES_CONF": folder + "/registries.conf",
            "CONTAINERS_STORAGE_CONF": folder + "/storage.conf", "REGISTRY_AUTH_FILE": folder + "/auth.json",
        ]
    }

    private static func makeCertificate(in folder: String) async throws -> (file: String, key: String) {
        let (file, key) = (folder + "/hub.pem", folder + "/hub.key")
        let words = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=registry-1.docker.io", "-addext", "subjectAltName=DNS:registry-1.docker.io",
            "-keyout", key, "-out", file,
        ]
        try await blocking {
            let process = try ChildProcess(
                "/usr/bin/openssl", words, environment: ["PATH": "/usr/bin:/bin", "HOME": folder])
            guard try process.wait(seconds: 30) == 0 else {
                throw TestFailure("no certificate: \(process.text)")
            }
        }
        return (file, key)
    }

    private static func untilAnswering(
        _ process: ChildProcess, _ network: LoopbackNamespace, _ url: String
    ) async throws {
        try await blocking(in: network) {
            let deadline = Date(timeIntervalSinceNow: 30)
            while (try? HTTPAnswer.get(url, seconds: 5))?.status != 200 {
                guard process.isRunning, Date() < deadline else {
                    throw TestFailure("\(url) does not answer (\(process.ending)): \(process.text)")
                }
                usleep(20_000)  // the only sign of readiness is an answer
            }
        }
    }

    private func untilSucceeding(_ daemon: ChildProcess, _ program: String, _ words: [String]) async throws {
        let deadline = Date(timeIntervalSinceNow: 60)
        while try await run(program, words, seconds: 30).code != 0 {
            guard daemon.isRunning, Date() < deadline else {
                throw TestFailure("\(program) does not work (\(daemon.ending)): \(daemon.text.suffix(4000))")
            }
            _ = try await blocking { usleep(50_000) }  // the only sign of readiness is an answer
        }
    }
}
