import Content
import Foundation
import Synchronization

/// A registry with its token service on one loopback server: what it holds and how it behaves is set by a test,
/// also while it is being asked.
final class RegistryServer: Sendable {
    enum Authentication: Sendable {
        case none
        case basic
        /// A token for every request; nil = the registry's own server is the realm.
        case bearer(realm: String? = nil)
    }

    struct Content: Sendable {
        var authentication = Authentication.none
        /// By `name:reference`.
        var manifests: [String: (type: String, bytes: [UInt8])] = [:]
        var blobs: [String: [UInt8]] = [:]
        /// Repositories that only `login` opens.
        var closed: Set<String> = []
        var login = (user: "alice", password: "s3cret")
        /// Of the token service, in seconds; nil = not told.
        var expiresIn: Int? = 300
        /// Under which name tokens are given.
        var tokenField = "token"
        /// Nobody gets a token before it opens.
        var tokenGate: FaultUpstream.Gate?
        /// Where blobs are sent to, without the digest.
        var blobsAt: String?
        /// Asked first; nil = the ordinary answer.
        var instead: @Sendable (FaultUpstream.Asked) -> [FaultUpstream.Step]? = { _ in nil }

        @discardableResult
        mutating func add(
            _ bytes: [UInt8], as type: String = "application/vnd.oci.image.manifest.v1+json",
            _ name: String, _ algorithm: DigestAlgorithm = .sha256
        ) -> Digest {
            let digest = Digest(algorithm, of: bytes)
            let repository = name.split(separator: ":")[0]
            manifests[name] = (type, bytes)
            manifests["\(repository):\(digest)"] = (type, bytes)
            return digest
        }
    }

    private struct State {
        var content: Content
        /// Whom a token is for, and what it opens.
        var tokens: [String: (user: String?, scope: String)] = [:]
        var count = 0
    }

    private let state: Mutex<State>
    private let url = Mutex("")

    private init(_ content: Content) { state = Mutex(State(content: content)) }

    static func serving<Result>(
        _ content: Content, _ body: (RegistryServer, FaultUpstream) async throws -> Result
    ) async throws -> Result {
        let registry = RegistryServer(content)
        return try await FaultUpstream.serving { asked in
            registry.answer(asked)
        } _: { server in
            registry.url.withLock { $0 = server.url }
            return try await body(registry, server)
        }
    }

    func change(_ body: (inout Content) -> Void) { state.withLock { body(&$0.content) } }

    /// From now on the tokens given so far are worth nothing.
    func revokeTokens() { state.withLock { $0.tokens = [:] } }

    // MARK: answers

    private func answer(_ asked: FaultUpstream.Asked) -> [FaultUpstream.Step] {
        let content = state.withLock { $0.content }
        if let steps = content.instead(asked) { return steps }
        if asked.path.hasPrefix("/token") { return token(asked, content) }
        let (path, query) = Self.split(asked.path)
        let segments = path.split(separator: "/").map(String.init)
        guard segments.first == "v2", segments.count >= 4 else { return [.send(.answer(200, "{}"))] }
        let name = segments[1..<(segments.count - 2)].joined(separator: "/")
        if let refusal = refusal(asked, content, name) { return refusal }
        switch segments[segments.count - 2] {
        case "manifests":
            guard let (type, bytes) = content.manifests["\(name):\(segments.last ?? "")"] else { break }
            return [
                .send(
                    body(
                        asked, bytes,
                        ["Content-Type: \(type)", "Docker-Content-Digest: \(Digest(of: bytes))"]))
            ]
        case "blobs":
            guard let bytes = content.blobs[segments.last ?? ""] else { break }
            if let place = content.blobsAt {
                return [.send(.answer(307, "", ["Location: \(place)\(segments.last ?? "")"]))]
            }
            return [
                .send(asked.method == "HEAD" ? body(asked, bytes, []) : asked.part(of: bytes, etag: "\"x\""))
            ]
        default: break
        }
        _ = query
        return [.send(body(asked, Array(#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#.utf8), [], status: 404))]
    }

    private func refusal(
        _ asked: FaultUpstream.Asked, _ content: Content, _ name: String
    ) -> [FaultUpstream.Step]? {
        let given = asked.headers["authorization"]
        let isOpen = !content.closed.contains(name)
        let challenge: String
        switch content.authentication {
        case .none: return nil
        case .basic:
            if isOpen || given == Self.basic(content.login) { return nil }
            challenge = #"Basic realm="the registry""#
        case .bearer(let realm):
            let scope = "repository:\(name):pull"
            if let given, given.hasPrefix("Bearer ") {
                let token = state.withLock { $0.tokens[String(given.dropFirst(7))] }
                if let token, token.scope == scope, isOpen || token.user == content.login.user { return nil }
            }
            let realm = realm ?? url.withLock { $0 }
            challenge = #"Bearer realm="\#(realm)/token",service="stand-in",scope="\#(scope)""#
        }
        return [.send(body(asked, Array("denied".utf8), ["WWW-Authenticate: \(challenge)"], status: 401))]
    }

    private func token(_ asked: FaultUpstream.Asked, _ content: Content) -> [FaultUpstream.Step] {
        let query = asked.method == "POST" ? asked.body : Self.split(asked.path).query
        let fields = Dictionary(
            query.split(separator: "&").map { field in
                let parts = field.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts[0], parts.last?.removingPercentEncoding ?? "")
            }, uniquingKeysWith: { first, _ in first })
        var user: String?
        if asked.method == "POST" {
            guard fields["refresh_token"] == content.login.password else {
                return [.send(.answer(401, "no"))]
            }
            user = content.login.user
        } else if let given = asked.headers["authorization"] {
            guard given == Self.basic(content.login) else { return [.send(.answer(401, "no"))] }
            user = content.login.user
        }
        let text = state.withLock { state in
            state.count += 1
            let text = "token-\(state.count)"
            state.tokens[text] = (user, fields["scope"] ?? "")
            return text
        }
        let expiry = content.expiresIn.map { ",\"expires_in\":\($0)" } ?? ""
        return (content.tokenGate.map { [.wait($0)] } ?? []) + [
            .send(.answer(200, "{\"\(content.tokenField)\":\"\(text)\"\(expiry)}"))
        ]
    }

    /// A whole answer, or its head alone to a HEAD.
    private func body(
        _ asked: FaultUpstream.Asked, _ bytes: [UInt8], _ fields: [String], status: Int = 200
    ) -> [UInt8] {
        asked.method == "HEAD"
            ? .head(status, ["Content-Length: \(bytes.count)"] + fields) : .answer(status, bytes, fields)
    }

    private static func split(_ path: String) -> (path: String, query: String) {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : "")
    }

    private static func basic(_ login: (user: String, password: String)) -> String {
        "Basic " + Data("\(login.user):\(login.password)".utf8).base64EncodedString()
    }
}
