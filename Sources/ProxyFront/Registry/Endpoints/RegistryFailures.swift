import Content

/// What a client gets when what it asked for cannot be had: the one table of it (docs/registry.md, "Errors"), chosen
/// from what real clients spend before they go elsewhere (docs/registry-clients.md).
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
            unserved(wanted, .badGateway, .unknown, "\(wanted.name) is not served: \(failure)")
        case .upstream, .cancelled, .notHeld: unavailable(wanted, "\(failure)")
        case .store:
            RegistryError(.internalServerError, .unknown, "\(wanted.name) cannot be served: \(failure)")
        }
    }

    static func missing(_ wanted: Wanted, _ reason: String) -> RegistryError {
        RegistryError(.notFound, wanted.unknown, reason, detail: ["name": wanted.name])
    }

    private static func unavailable(_ wanted: Wanted, _ reason: String) -> RegistryError {
        unserved(
            wanted, .serviceUnavailable, .unavailable, "\(wanted.name) is not held here, and \(reason)",
            headers: ["Retry-After": "5"])
    }

    /// Never 429: containerd would ask six times for each thing, podman, buildah and skopeo five times in 30 s.
    private static func rateLimited(_ wanted: Wanted, _ said: UpstreamRefusal) -> RegistryError {
        let wait = said.retryAfter.map { ", for \($0) more seconds" } ?? ""
        let message =
            "\(wanted.name) is not held here, and the rate limit of \(said.upstream) is used up\(wait)"
        return unserved(
            wanted, .serviceUnavailable, .tooManyRequests, message,
            headers: ["Retry-After": said.retryAfter ?? "60"])
    }

    /// What is there but cannot be had now. A mirror's client has somewhere else to go and is told 404; so is
    /// whoever asks for a blob: on any other status docker asks five times, for 4 s, before it goes elsewhere.
    private static func unserved(
        _ wanted: Wanted, _ status: Status, _ code: RegistryError.Code, _ message: String,
        headers: Headers = [:]
    ) -> RegistryError {
        if wanted.isMirrored || wanted.kind == .blob { return missing(wanted, message) }
        return RegistryError(status, code, message, detail: ["name": wanted.name], headers: headers)
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
