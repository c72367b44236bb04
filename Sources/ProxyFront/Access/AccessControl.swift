/// What a client wants to reach.
public enum AccessResource: Hashable, Sendable {
    case repository(Repository)
    case module(ModulePath)
    /// The registry as such, without naming any content: `/v2/`, where clients learn whether to send
    /// credentials, and `docker login` whether they are right.
    case registry
    /// What a node tells about itself and everything it holds: status, metrics, the catalog. Names of private
    /// content are for those only whose admission includes private content.
    case node
}

/// What somebody may do; each role includes those before it.
public enum AccessRole: Int, Sendable, CaseIterable, Comparable {
    /// May read what the rules give, and the node's status.
    case viewer
    /// May warm, pin and verify.
    case `operator`
    /// May remove and import content.
    case admin

    public static func < (a: AccessRole, b: AccessRole) -> Bool { a.rawValue < b.rawValue }
}

/// A client that is let in, and how far.
public struct Admission: Sendable, Equatable {
    /// Of the node's own users; nil for everybody else.
    public var user: String?
    public var role: AccessRole?
    /// The node's rules give this client private content of the resource.
    public var includesPrivate: Bool
    /// What the client sent and the node does not know: it may open the resource upstream.
    public var foreignCredential: UpstreamCredential?
    /// Why what the client sent was not taken: a wrong password, a full queue. The client is then treated as
    /// anybody is, so that a wrong password never costs it public content.
    public var objection: AccessRefusal?

    public init(
        user: String? = nil, role: AccessRole? = nil, includesPrivate: Bool = false,
        foreignCredential: UpstreamCredential? = nil, objection: AccessRefusal? = nil
    ) {
        self.user = user
        self.role = role
        self.includesPrivate = includesPrivate
        self.foreignCredential = foreignCredential
        self.objection = objection
    }

    /// Nobody in particular: public content only.
    public static let anonymous = Admission()
}

/// Why a client is not let in. The handler chooses the form of the answer.
public enum AccessRefusal: Error, Sendable, Equatable {
    /// 401: it must say who it is, or what it said is wrong.
    case unauthorized(reason: String)
    /// 403: it is known, and may not, or what it sent cannot be looked at on this connection.
    case forbidden(reason: String)
    /// 503: whether it may is not known at present; it should ask again after `retryAfter` seconds.
    case busy(reason: String, retryAfter: Int)
}

/// A verdict at hand, or the work that makes it (a password is hashed elsewhere than on an event loop).
public enum AccessAnswer: Sendable {
    case now(Result<Admission, AccessRefusal>)
    case later(@Sendable () async -> Result<Admission, AccessRefusal>)

    /// The verdict, once it is there.
    public func verdict() async -> Result<Admission, AccessRefusal> {
        switch self {
        case .now(let verdict): verdict
        case .later(let decide): await decide()
        }
    }
}

/// Decides who may reach what (architecture section 7).
public protocol AccessControl: Sendable {
    /// Called on the event loop, once per request: must not block.
    func admit(_ request: Request, to resource: AccessResource) -> AccessAnswer
}
