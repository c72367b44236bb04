import Content

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// Lists that come in pages: bounded in pages, elements and bytes, and never continued at another origin.
extension RegistryConnection {
    private static let pagesAtMost = 200
    private static let elementsAtMost = 100_000
    private static let pageLimit: Int64 = 8 << 20
    private static let pageSize = 1000

    func tags(
        of repository: RepositoryName, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<String> {
        let ask = RegistryAsk(
            kind: .list, repository: repository, resource: "tags/list", query: "n=\(Self.pageSize)",
            limit: Self.pageLimit,
            accept: ["application/json"])
        let reply = try await reply(to: ask, as: identity)
        let tags = try await pages(of: ask, from: reply) { bytes in
            struct Wire: Decodable { var tags: [String]? }
            return (try? JSONDecoder().decode(Wire.self, from: Data(bytes))).map { $0.tags ?? [] }
        }
        // What is no tag cannot be asked for.
        return RegistryList(
            tags.filter { (try? Tag($0)) != nil }, access: reply.access, origin: reply.endpoint.upstream.name)
    }

    func referrers(
        of digest: Digest, in repository: RepositoryName, as identity: UpstreamIdentity
    ) async throws(UpstreamFailure) -> RegistryList<Descriptor> {
        let ask = RegistryAsk(
            kind: .list, repository: repository, resource: "referrers/\(digest)", limit: Self.pageLimit,
            accept: [MediaType.index])
        let reply: Reply
        do throws(UpstreamFailure) {
            reply = try await self.reply(to: ask, as: identity)
        } catch {
            guard let status = error.status, [400, 404, 405, 501].contains(status) else { throw error }
            return try await fallback(of: digest, in: repository, as: identity, refusal: error)
        }
        let found = try await pages(of: ask, from: reply) { bytes in
            (try? Manifest(parsing: bytes))?.manifests
        }
        return RegistryList(found, access: reply.access, origin: reply.endpoint.upstream.name)
    }

    /// The tag that stands in for the list where a registry has no referrers endpoint; missing, there are none
    /// (OCI distribution specification 1.1, "Referrers Tag Schema").
    private func fallback(
        of digest: Digest, in repository: RepositoryName, as identity: UpstreamIdentity,
        refusal: UpstreamFailure
    ) async throws(UpstreamFailure) -> RegistryList<Descriptor> {
        let tag = "\(digest.algorithm.rawValue.prefix(32))-\(digest.hex.prefix(64))"
        let ask = RegistryAsk(
            kind: .manifest, repository: repository, resource: "manifests/\(tag)", limit: Manifest.limit,
            accept: [MediaType.index])
        do throws(UpstreamFailure) {
            let reply = try await reply(to: ask, as: identity)
            let upstream = reply.endpoint.upstream.name
            let bytes = try await reply.answer.body.whole()
            guard let index = try? Manifest(parsing: bytes) else {
                throw .unusable(upstream: upstream, reason: "what stands under the tag \(tag) is no index")
            }
            return RegistryList(index.manifests, access: reply.access, origin: upstream)
        } catch {
            // Private unless proven otherwise, as everything of which nothing is known.
            guard error.isNotFound else { throw error }
            return RegistryList([], access: .private, origin: upstream.host.text)
        }
    }

    /// The elements of a first page and of all that follow it.
    /// - Parameter read: a page's elements; nil when it cannot be read.
    private func pages<Element>(
        of ask: RegistryAsk, from first: Reply, _ read: ([UInt8]) -> [Element]?
    ) async throws(UpstreamFailure) -> [Element] {
        let endpoint = first.endpoint
        let name = endpoint.upstream.name
        var answer = first.answer
        var place = ask.request(at: endpoint.upstream.base).url
        var seen: Set = [place]
        var elements: [Element] = []
        while true {
            guard let found = read(try await answer.body.whole()) else {
                throw .unusable(upstream: name, reason: "the list \(ask.path) cannot be read")
            }
            elements += found
            guard let target = LinkHeader.next(in: answer.facts.links) else { return elements }
            guard let next = try? place.resolving(location: target), next.origin == place.origin,
                next.path == place.path
            else { throw .unusable(upstream: name, reason: "the list \(ask.path) goes on at another place") }
            guard seen.insert(next).inserted else {
                throw .unusable(upstream: name, reason: "the list \(ask.path) goes round in circles")
            }
            guard seen.count <= Self.pagesAtMost, elements.count <= Self.elementsAtMost else {
                throw .unusable(
                    upstream: name,
                    reason: "the list \(ask.path) is longer than \(Self.pagesAtMost) pages "
                        + "or \(Self.elementsAtMost) elements")
            }
            place = next
            var page = ask
            page.page = next
            answer = try await send(page, first.login, to: endpoint)
        }
    }
}
