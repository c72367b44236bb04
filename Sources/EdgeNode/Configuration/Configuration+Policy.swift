import ProxyFront

extension Configuration {
    private enum Verb: String, CaseIterable { case allow, deny }

    mutating func readPolicy(_ sections: [SectionReader]) {
        policy = sections.compactMap { readPolicyEntry($0) }
    }

    private func readPolicyEntry(_ section: SectionReader) -> PolicyEntry? {
        var match = PolicyMatch()
        for field in PolicyMatch.Field.allCases {
            let patterns = section.read(field.rawValue, .strings, or: [])
            guard section.has(field.rawValue) else { continue }
            do throws(PolicyPatternError) {
                try match.restrict(field, to: patterns)
            } catch {
                section.refuse(field.rawValue, "\(error)")
            }
        }
        let verb = section.read("action", .optionalChoice(), or: Verb?.none)
        let reason = section.read("reason", .string, or: "").nilIfEmpty
        let webhook = readWebhook(section)
        section.finish()

        if match.isContradictory {
            section.refuse(
                section.has("module") ? "module" : "version",
                "stands beside fields of images; nothing is a module and an image, make two rules of it")
        }
        switch (verb, webhook) {
        case (nil, nil):
            if !section.has("action"), !section.has("webhook") {
                section.refuse("action", "is missing; write \"allow\", \"deny\", or give a webhook to ask")
            }
            return nil
        case (.some, .some):
            section.refuse("action", "stands beside a webhook, which decides by itself; take one of them out")
            return nil
        case (.allow, nil): return PolicyEntry(rule: PolicyRule(match, .allow))
        case (.deny, nil):
            guard let reason else {
                section.refuse("reason", "is missing; say why, in words for the person at the client")
                return nil
            }
            return PolicyEntry(rule: PolicyRule(match, .deny(reason: reason)))
        case (nil, let (webhook, tokenFile)?):
            return PolicyEntry(rule: PolicyRule(match, .ask(webhook)), tokenFile: tokenFile)
        }
    }

    private func readWebhook(_ section: SectionReader) -> (PolicyWebhook, tokenFile: String?)? {
        let url = section.read("webhook", .webhook, or: nil)
        var webhook = PolicyWebhook(url: url ?? .goProxy)
        webhook.timeout = section.read(
            "timeout", .duration(.milliseconds(10)...Duration.seconds(60)), or: webhook.timeout)
        let onFailure = section.read("on_failure", .optionalChoice(), or: Verb?.none)
        webhook.cacheFor = section.read(
            "cache_for", .duration(.zero...Self.decade), or: webhook.cacheFor)
        let tokenFile = section.read("token_file", .path, or: nil)
        guard let url else {
            for key in ["timeout", "on_failure", "cache_for", "token_file"]
            where section.has(key) && !section.has("webhook") {
                section.refuse(key, "says something of a webhook, and there is none in this rule")
            }
            return nil
        }
        guard let onFailure else {
            if !section.has("on_failure") {
                section.refuse(
                    "on_failure", "is missing; \"deny\" or \"allow\" what the webhook gives no answer about")
            }
            return nil
        }
        webhook.allowsOnFailure = onFailure == .allow
        if tokenFile != nil, url.origin.scheme == .http, !url.origin.isLoopback {
            section.refuse("token_file", "goes over the network in the clear; use an https webhook")
        }
        return (webhook, tokenFile)
    }
}

extension SettingKind where Value == UpstreamURL? {
    /// An http or https URL without credentials; a query stays.
    static var webhook: SettingKind {
        SettingKind<String>.string.map { (text: String) throws(BadSetting) -> UpstreamURL? in
            do throws(UpstreamURLError) {
                return try UpstreamURL(parsing: text)
            } catch {
                throw BadSetting(error.description)
            }
        }
    }
}
