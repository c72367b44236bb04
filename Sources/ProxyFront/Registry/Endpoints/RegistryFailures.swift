import Content

/// What a client gets when what it asked for cannot be had: the one table of it (docs/registry.md, "Errors").
enum RegistryFailures {
    /// What was asked for.
    struct Wanted: Sendable {
        enum Kind: Sendable { case manifest, blob, list }

        let kind: Kind
        /// As logs name it: `docker.io/library/nginx:1.27`.
        let name: String
        /// The request came to a mirror, on behalf of a registry (`?ns=`): its client has somewhere else to go.
        let isMirrored: Bool

        var unknown: RegistryError.Code {
            switch kind {
            case .manifest: .manifestUnknown
            case .blob: .blobUnknown
            case .list: .nameUnknown
            }
        }
    }

    /// The answer to a failure of upstream or of a transfer, nothing being held that could be served instead.
    /// - Parameter refusal: the answer for content that is there for others only.
    static func answer(
        _ failure: DeliveryFailure, _ wanted: Wanted, refusal: @autoclosure () -> RegistryError
    ) -> RegistryError {
        switch failure {
        case .upstream(.refused(let said)) where said.isNotFound:
            missing(wanted, "\(wanted.name) is unknown to \(said.upstream)")
        case .upstream(.refused(let said)) where said.status == 401 || said.status == 403: refusal()
        case .upstream(.refused(let said)) where said.status == 429:
            rateLimited(wanted, said)
        case .upstream(.unusable), .upstream(.tooLong), .mismatch, .bytesDiffer:
            RegistryError(.badGateway, .unknown, "\(wanted.name) is not served: \(failure)")
        case .upstream, .cancelled, .notHeld: unavailable(wanted, "\(failure)")
        case .store:
            RegistryError(.internalServerError, .unknown, "\(wanted.name) cannot be served: \(failure)")
        }
    }

    static func missing(_ wanted: Wanted, _ reason: String) -> RegistryError {
        RegistryError(.notFound, wanted.unknown, reason, detail: ["name": wanted.name])
    }

    /// A mirror's 404 costs its client one request, after which it asks the registry itself; a 429 costs six.
    private static func unavailable(_ wanted: Wanted, _ reason: String) -> RegistryError {
        let message = "\(wanted.name) is not held here, and \(reason)"
        guard !wanted.isMirrored else { return missing(wanted, message) }
        return RegistryError(
            .serviceUnavailable, .unavailable, message, detail: ["name": wanted.name],
            headers: ["Retry-After": "5"])
    }

    private static func rateLimited(_ wanted: Wanted, _ said: UpstreamRefusal) -> RegistryError {
        let wait = said.retryAfter.map { ", for \($0) more seconds" } ?? ""
        let message =
            "\(wanted.name) is not held here, and the rate limit of \(said.upstream) is used up\(wait)"
        guard !wanted.isMirrored else { return missing(wanted, message) }
        return RegistryError(
            .tooManyRequests, .tooManyRequests, message, detail: ["name": wanted.name],
            headers: ["Retry-After": said.retryAfter ?? "60"])
    }
}

extension DeliveryFailure {
    /// Whether upstream spoke about the thing itself, as against being away, busy or broken: what is held is then
    /// no answer any more.
    var isVerdict: Bool {
        guard case .upstream(.refused(let said)) = self else { return false }
        return said.isNotFound || said.status == 401 || said.status == 403
    }
}
