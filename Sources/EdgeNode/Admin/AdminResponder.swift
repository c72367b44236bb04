import Foundation
import NIOCore
import ProxyFront

/// Serves the administration of a running node's store to commands on the same machine.
///
/// Three things must hold before anything is done: the request comes over loopback, it is a POST, and it
/// carries the token of the run file, which only the node's own user can read. A browser, a reverse proxy or
/// another user of the machine passes the first two at most.
package struct AdminResponder: Responder {
    private let administration: any StoreAdministration
    private let token: [UInt8]
    private let audit: any AuditLog
    private let cluster: (any ClusterAdministration)?

    /// - Parameter cluster: nil for a node that is in none.
    package init(
        administration: any StoreAdministration, token: String, audit: any AuditLog,
        cluster: (any ClusterAdministration)? = nil
    ) {
        self.administration = administration
        self.cluster = cluster
        self.token = Array("Bearer \(token)".utf8)
        self.audit = audit
    }

    package func respond(to request: Request) -> Answer {
        guard request.isLoopback else {
            return .now(.text(.forbidden, "The administration of a node is open to its own machine only."))
        }
        guard request.method == .post else {
            return .now(.text(.methodNotAllowed, "Use POST.", headers: ["Allow": "POST"]))
        }
        guard isAuthentic(request.headers["Authorization"]) else {
            return .now(
                .text(
                    .unauthorized,
                    "The token of the node's run file is missing or wrong; use the edgenode command.",
                    headers: ["WWW-Authenticate": "Bearer realm=\"edgenode\""]))
        }
        let administration = administration
        switch request.target.dropFirst(AdminProtocol.prefix.count) {
        case "peers":
            let cluster = cluster
            return reply { AdminProtocol.Line(cluster: cluster?.report) }
        case "trials":
            let cluster = cluster
            return reply { AdminProtocol.Line(trials: await cluster?.tryPeers() ?? []) }
        case "revocations":
            let cluster = cluster
            return reply {
                try cluster?.takeRevocations()
                return AdminProtocol.Line(changed: cluster != nil)
            }
        case "pins":
            return reply { AdminProtocol.Line(pins: try await administration.pins()) }
        case "pin":
            return withPattern(request) { pattern, record in
                try await administration.pin(pattern)
                record(.pin)
                return AdminProtocol.Line(changed: true)
            }
        case "unpin":
            return withPattern(request) { pattern, record in
                let changed = try await administration.unpin(pattern)
                if changed { record(.unpin) }
                return AdminProtocol.Line(changed: changed)
            }
        case "verify":
            return work { AdminProtocol.Line(verified: try await administration.verify($0)) }
        case "gc":
            return work { _ in AdminProtocol.Line(collected: try await administration.collect()) }
        case "import":
            return withBody(request, ImportRequest.self) { asked in
                self.work { AdminProtocol.Line(imported: try await administration.importing(asked, $0)) }
            }
        case "export-plan":
            return withBody(request, ExportRequest.self) { asked in
                self.reply { AdminProtocol.Line(exportPlan: try await administration.planExport(asked)) }
            }
        case "export":
            return withBody(request, ExportRequest.self) { asked in
                self.file {
                    let (byteCount, body) = try await administration.export(asked)
                    return (byteCount, body)
                }
            }
        case "inventory":
            return file { (nil, try await administration.inventory()) }
        default:
            return .now(.text(.notFound, "There is no such administration call."))
        }
    }

    /// Compares in a time that does not depend on where the difference stands.
    private func isAuthentic(_ header: String?) -> Bool {
        guard let given = header.map({ Array($0.utf8) }), given.count == token.count else { return false }
        return zip(given, token).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private typealias Record = @Sendable (AuditEvent.Action) -> Void

    private func withPattern(
        _ request: Request,
        _ body: @escaping @Sendable (String, Record) async throws -> AdminProtocol.Line
    ) -> Answer {
        let bytes = request.body.map { Data($0.readableBytesView) } ?? Data()
        guard let pattern = try? JSONDecoder().decode(AdminProtocol.PatternRequest.self, from: bytes).pattern,
            !pattern.isEmpty, pattern.utf8.count <= 1024,
            pattern.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else {
            return .now(
                .text(.badRequest, "The body must be {\"pattern\": \"...\"}, a pattern of 1 to 1024 bytes."))
        }
        let audit = audit
        let client = request.remoteAddress?.ipAddress
        return reply {
            try await body(pattern) { audit.record(AuditEvent($0, pattern, client: client)) }
        }
    }

    private func withBody<Asked: Decodable & Sendable>(
        _ request: Request, _ type: Asked.Type, _ body: (Asked) -> Answer
    ) -> Answer {
        let bytes = request.body.map { Data($0.readableBytesView) } ?? Data()
        guard let asked = try? JSONDecoder().decode(type, from: bytes) else {
            return .now(.text(.badRequest, "The body is not what this call takes; use the edgenode command."))
        }
        return body(asked)
    }

    /// A file that is made while it is sent.
    private func file(
        _ body: @escaping @Sendable () async throws -> (byteCount: Int64?, body: any BodyProducer)
    ) -> Answer {
        .later {
            do {
                let (byteCount, body) = try await body()
                return Response(
                    status: .ok, headers: ["Content-Type": "application/octet-stream"],
                    body: .stream(length: byteCount, body))
            } catch {
                return .text(.internalServerError, "\(error)")
            }
        }
    }

    private func reply(_ body: @escaping @Sendable () async throws -> AdminProtocol.Line) -> Answer {
        .later {
            do {
                return Response(
                    status: .ok, headers: ["Content-Type": AdminProtocol.contentType],
                    body: .array(try AdminProtocol.encode(await body())))
            } catch {
                return .text(.internalServerError, "\(error)")
            }
        }
    }

    /// Long work, its progress told as it goes. It is cancelled when the caller goes away.
    private func work(_ body: @escaping AdminWork.Work) -> Answer {
        .later {
            Response(
                status: .ok, headers: ["Content-Type": AdminProtocol.contentType],
                body: .stream(length: nil, AdminWork(body)))
        }
    }
}
