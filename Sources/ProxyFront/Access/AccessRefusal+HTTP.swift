public import ChunkStore

/// What every handler makes of a refusal, whatever the form of its bodies.
extension AccessRefusal {
    public var status: Status {
        switch self {
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .busy: .serviceUnavailable
        }
    }

    /// The fields that belong to the status: a challenge, or when to come again (RFC 9110, sections 11.6.1 and
    /// 10.2.3). What depends on who asks is kept by no cache.
    public var headers: Headers {
        var headers: Headers = ["Cache-Control": "no-store"]
        switch self {
        case .unauthorized: headers.add("WWW-Authenticate", "Basic realm=\"edgenode\"")
        case .forbidden: break
        case .busy(_, let retryAfter): headers.add("Retry-After", String(retryAfter))
        }
        return headers
    }

    /// One line for the person at the client.
    public var reason: String {
        switch self {
        case .unauthorized(let reason), .forbidden(let reason), .busy(let reason, _): reason
        }
    }
}

extension Request {
    /// Whether this connection may carry a secret: over TLS, or within this machine.
    public var mayCarrySecrets: Bool { isSecure || isLoopback }
}

extension Admission {
    /// Whether content of this class may be given.
    public func includes(_ access: AccessClass) -> Bool { access == .public || includesPrivate }

    /// The answer for private content that this admission does not include.
    /// - Parameter subject: what was asked for, in words: `module example.com/a`.
    public func refusal(ofPrivate subject: String, to request: Request) -> AccessRefusal {
        if let objection { return objection }
        if let user { return .forbidden(reason: "\(subject) is private, and no rule gives it to \(user)") }
        guard request.mayCarrySecrets else {
            return .forbidden(
                reason: "\(subject) is private, and this node takes credentials over TLS only")
        }
        if foreignCredential != nil {
            return .unauthorized(reason: "\(subject) is private, and the credentials sent do not open it")
        }
        return .unauthorized(reason: "\(subject) is private: credentials are needed")
    }
}
