import Foundation
import Logging
import NIOCore
import ProxyFront
import Synchronization

/// Who is who in these tests.
enum Credentials {
    /// Made once: a hash costs tens of milliseconds.
    private static let hash = try? PasswordHash.make(of: "correct horse")
    private static let ciSecret = AccessToken.newSecret()
    private static let rootSecret = AccessToken.newSecret()

    static func settings(
        _ rules: [(content: [String], who: [String], give: AccessRule.Grant)]
    ) throws -> AccessSettings {
        var settings = AccessSettings()
        settings.users = [("alice", AccessRole.operator), ("bob", .viewer)].compactMap { name, role in
            hash.map { AccessUser(name: name, role: role, password: $0) }
        }
        settings.tokens = [
            AccessToken(secret: ciSecret, name: "ci", role: .viewer),
            AccessToken(secret: rootSecret, name: "root", role: .admin),
        ]
        settings.rules = try rules.map { rule in
            AccessRule(
                try rule.content.map { try ContentPattern($0) },
                rule.who.compactMap { AccessRule.Who(parsing: $0) }, rule.give)
        }
        return settings
    }

    static func password(_ who: String) -> String {
        switch who {
        case "ci": ciSecret
        case "root": rootSecret
        case "stranger", "bearer": "strange secret"
        default: "correct horse"
        }
    }

    static func header(_ who: String) -> String {
        switch who {
        case "ci": "Bearer \(password(who))"
        case "bearer": "Bearer strange.token"
        default: basic(who, password(who))
        }
    }

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}

extension Request {
    static func asking(
        _ authorization: String? = nil, for target: String = "/", loopback: Bool = true, secure: Bool = false
    ) -> Request {
        var request = Request(target: target, isLoopback: loopback, isSecure: secure)
        request.remoteAddress = try? SocketAddress(
            ipAddress: loopback ? "127.0.0.1" : "192.0.2.7", port: 4000)
        if let authorization { request.headers.add("Authorization", authorization) }
        return request
    }
}

/// Makes rules over the users of `Credentials`, and ends their thread afterwards.
func withRules<Result>(
    _ rules: [(content: [String], who: [String], give: AccessRule.Grant)], commandSecret: String? = nil,
    logger: Logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
    _ change: (inout AccessSettings) -> Void = { _ in },
    _ body: (AccessRules) async throws -> Result
) async throws -> Result {
    var settings = try Credentials.settings(rules)
    change(&settings)
    let access = try AccessRules(settings, commandSecret: commandSecret, logger: logger)
    do {
        let result = try await body(access)
        await access.stop()
        return result
    } catch {
        await access.stop()
        throw error
    }
}

/// Everything that was logged, as one text.
final class CollectedLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: CollectedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            log.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }
}

extension AccessRules {
    /// Rules without users that give everybody the same of everything.
    static func givingAnyone(_ grant: AccessRule.Grant) throws -> AccessRules {
        var settings = AccessSettings()
        settings.rules = [AccessRule([try ContentPattern("*")], [.anyone], grant)]
        return try AccessRules(
            settings, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}
