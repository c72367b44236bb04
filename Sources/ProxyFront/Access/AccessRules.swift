import Content
public import Logging

/// Everything that decides who may have what.
public struct AccessSettings: Sendable, Equatable {
    public var users: [AccessUser] = []
    public var tokens: [AccessToken] = []
    /// The first that speaks of client and content counts; none: public content.
    public var rules: [AccessRule] = []
    /// Whether status, metrics and catalog are shown to everybody, or to users and tokens only.
    public var showsStatusToAnyone = true
    /// Whether the registry asks clients without credentials for some before they name an image.
    public var challenges = false
    /// How long a right password counts without being hashed again.
    public var rememberFor: Duration = .seconds(600)

    public init() {}
}

/// The node's access rules (docs/access.md).
///
/// A client is a user, a token, or anybody; credentials that do not hold make it anybody, with an objection
/// beside. The first rule that speaks of the client and of what it asks for decides. Credentials are looked at
/// on connections only that may carry secrets: elsewhere they are refused unseen.
public final class AccessRules: AccessControl {
    private enum Identity {
        case anybody(foreign: UpstreamCredential? = nil, objection: AccessRefusal? = nil)
        case known(Principal)
        /// The node's own commands.
        case command
    }

    private let settings: AccessSettings
    private let users: [String: AccessUser]
    private let commandToken: AccessToken?
    private let checker: PasswordChecker?
    private let logger: Logger

    /// No users, no rules: public content to everybody who can connect.
    public static let open: AccessRules = {
        do {
            return try AccessRules(
                AccessSettings(), logger: Logger(label: "access", factory: { _ in SwiftLogNoOpLogHandler() }))
        } catch {
            preconditionFailure("without users there is nothing that can fail: \(error)")
        }
    }()

    /// - Parameter commandSecret: what the node's own commands send as a Bearer token; they may have everything.
    /// - Throws: when there is no thread for checking passwords.
    public convenience init(
        _ settings: AccessSettings, commandSecret: String? = nil, logger: Logger
    ) throws {
        var passwords = PasswordChecker.Configuration()
        passwords.rightFor = settings.rememberFor
        try self.init(
            settings, commandSecret: commandSecret,
            checker: settings.users.isEmpty ? nil : PasswordChecker(passwords), logger: logger)
    }

    package init(
        _ settings: AccessSettings, commandSecret: String? = nil, checker: PasswordChecker?, logger: Logger
    ) throws {
        self.settings = settings
        users = Dictionary(settings.users.map { ($0.name, $0) }) { first, _ in first }
        commandToken = commandSecret.map {
            AccessToken(secret: $0, name: "command", role: .admin)
        }
        self.checker = checker
        self.logger = logger
    }

    /// Ends the thread that checks passwords, once the checks that were begun are done.
    public func stop() async { await checker?.stop() }

    public func admit(_ request: Request, to resource: AccessResource) -> AccessAnswer {
        guard let header = request.headers["Authorization"] else {
            return .now(decide(.anybody(), request, resource))
        }
        guard request.mayCarrySecrets else {
            return .now(
                .failure(
                    .forbidden(
                        reason:
                            "credentials are taken over TLS or from this machine only; those sent were not"
                            + " looked at, but went over the network in the clear")))
        }
        switch ClientCredential(parsing: header) {
        case .empty: return .now(decide(.anybody(), request, resource))
        case .unusable(let reason):
            return .now(decide(.anybody(objection: .unauthorized(reason: reason)), request, resource))
        case .bearer(let token): return .now(decide(identity(token: token), request, resource))
        case .basic(_, let password) where password.hasPrefix(AccessToken.prefix):
            return .now(decide(identity(token: password), request, resource))
        case .basic(let name, let password):
            guard let user = users[name], let checker else {
                let foreign = UpstreamCredential.basic(user: name, password: password)
                return .now(decide(.anybody(foreign: foreign), request, resource))
            }
            if let verdict = checker.known(name, password, user.password) {
                return .now(decide(identity(user, verdict), request, resource))
            }
            return .later {
                let client = request.remoteAddress?.ipAddress
                let verdict = await checker.check(name, password, user.password, client: client)
                // What is answered from memory is not logged again.
                if verdict == .wrong {
                    self.logger.notice(
                        "wrong password", metadata: ["user": "\(name)", "client": "\(client ?? "-")"])
                }
                return self.decide(self.identity(user, verdict), request, resource)
            }
        }
    }

    // MARK: who it is

    private func identity(token secret: String) -> Identity {
        if let commandToken, AccessToken.find(secret, in: [commandToken]) != nil { return .command }
        guard secret.hasPrefix(AccessToken.prefix) else { return .anybody(foreign: .bearer(token: secret)) }
        guard let token = AccessToken.find(secret, in: settings.tokens) else {
            return .anybody(
                objection: .unauthorized(reason: "this token is not, or no longer, one of this node"))
        }
        return .known(Principal(kind: .token, name: token.name, role: token.role))
    }

    private func identity(_ user: AccessUser, _ verdict: PasswordChecker.Verdict) -> Identity {
        switch verdict {
        case .right: return .known(Principal(kind: .user, name: user.name, role: user.role))
        case .wrong:
            return .anybody(objection: .unauthorized(reason: "the password of user \(user.name) is wrong"))
        case .busy:
            return .anybody(
                objection: .busy(
                    reason: "too many passwords are being checked at present", retryAfter: 1))
        case .tooManyGuesses(let wait):
            return .anybody(
                objection: .busy(
                    reason: "too many wrong passwords came from this address; it has to wait",
                    retryAfter: Int(wait.components.seconds) + 1))
        }
    }

    // MARK: what it may

    private func decide(
        _ identity: Identity, _ request: Request, _ resource: AccessResource
    ) -> Result<Admission, AccessRefusal> {
        var admission = Admission()
        var principal: Principal?
        switch identity {
        case .command:
            return .success(Admission(user: "command", role: .admin, includesPrivate: true))
        case .known(let known):
            principal = known
            admission.user = known.description
            admission.role = known.role
        case .anybody(let foreign, let objection):
            admission.foreignCredential = foreign
            admission.objection = objection
        }
        switch resource {
        case .node:
            admission.includesPrivate = principal != nil
            guard principal != nil || settings.showsStatusToAnyone else {
                return .failure(refusal(admission, "what this node tells about itself", request))
            }
        case .registry:
            if let objection = admission.objection { return .failure(objection) }
            if settings.challenges, principal == nil, admission.foreignCredential == nil,
                request.headers["Authorization"] == nil, request.mayCarrySecrets
            {
                return .failure(.unauthorized(reason: "this registry asks for credentials"))
            }
        case .module, .repository:
            let rule = settings.rules.first { $0.speaks(of: principal, about: resource) }
            switch rule?.grant ?? .public {
            case .nothing: return .failure(refusal(admission, resource.description, request))
            case .public: break
            case .private: admission.includesPrivate = true
            }
        }
        return .success(admission)
    }

    private func refusal(
        _ admission: Admission, _ subject: String, _ request: Request
    ) -> AccessRefusal {
        if let objection = admission.objection { return objection }
        if let user = admission.user {
            return .forbidden(reason: "the rules of this node keep \(subject) from \(user)")
        }
        guard request.mayCarrySecrets else {
            return .forbidden(
                reason: "\(subject) is not for everybody, and this node takes credentials over TLS only")
        }
        return .unauthorized(reason: "\(subject) is not for everybody: credentials of this node are needed")
    }
}

extension AccessResource: CustomStringConvertible {
    /// In words, for answers and logs.
    public var description: String {
        switch self {
        case .repository(let repository): "repository \(repository)"
        case .module(let path): "module \(path.text)"
        case .registry: "this registry"
        case .node: "this node"
        }
    }
}
