import Content

/// A token service as a registry's challenge names it, and what to ask it for.
struct BearerRealm: Sendable, Hashable {
    let url: UpstreamURL
    let service: String?
    /// Sorted; each is asked for.
    let scopes: [String]

    /// - Throws: `UpstreamFailure.unusable` for a realm that is no URL.
    /// - Parameter scope: stands in for a scope that the challenge does not name.
    init(
        _ challenge: AuthChallenge, of upstream: String, scope: String
    ) throws(UpstreamFailure) {
        let text = challenge.parameters["realm"] ?? ""
        do throws(UpstreamURLError) { url = try UpstreamURL(parsing: text) } catch {
            throw .unusable(upstream: upstream, reason: "the realm of its tokens: \(error)")
        }
        service = challenge.parameters["service"].map { String($0.prefix(512)) }
        let named = challenge.parameters["scope"]?.split(separator: " ").prefix(8).map {
            String($0.prefix(1024))
        }
        scopes = (named?.isEmpty == false ? named ?? [] : [scope]).sorted()
    }

    private init(url: UpstreamURL, service: String?, scopes: [String]) {
        self.url = url
        self.service = service
        self.scopes = scopes
    }

    /// The same service, asked for another scope: what a registry will name, guessed to spare its challenge.
    func asking(for scope: String) -> BearerRealm {
        BearerRealm(url: url, service: service, scopes: [scope])
    }

    /// The address to GET.
    var question: UpstreamURL {
        let fields = (service.map { [("service", $0)] } ?? []) + scopes.map { ("scope", $0) }
        let query = [url.query].compactMap { $0 } + fields.map { "\($0)=\(FormEncoding.encode($1))" }
        return UpstreamURL(origin: url.origin, path: url.path, query: query.joined(separator: "&"))
    }

    /// The form to POST in exchange for an identity token.
    func form(refreshing token: String) -> String {
        let fields = [
            ("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "edgenode"),
            ("service", service ?? ""), ("scope", scopes.joined(separator: " ")),
        ]
        return fields.map { "\($0)=\(FormEncoding.encode($1))" }.joined(separator: "&")
    }
}

/// The values of queries and forms: everything is escaped but letters, digits and `-._~`
/// (RFC 3986, section 2.3).
enum FormEncoding {
    static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if ByteClass.isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".utf8.contains(byte)
            {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%")] + Hex.encode([byte]).uppercased().utf8
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
