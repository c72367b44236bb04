import ChunkStore
import ProxyFront

// What each part of the node is told, out of the one configuration.

extension Configuration {
    package var storeConfiguration: ChunkStore.Configuration {
        var configuration = ChunkStore.Configuration(
            directory: DataFolder(node.dataDirectory).store, capacity: store.capacity,
            highWater: store.highWater, lowWater: store.lowWater, reservedFree: store.reservedFree,
            smallObjectLimit: Int(store.smallObjectLimit), foldAfter: store.foldAfter,
            maxUnused: store.maxUnused.map { ChunkStore.AgeLimit(pattern: $0.pattern, age: $0.age) })
        configuration.upkeep.scrubRate = store.scrubRate
        return configuration
    }

    /// The front that clients use.
    package var frontConfiguration: HTTPServer.Configuration {
        var front = HTTPServer.Configuration(
            listen: node.listen.map { HTTPServer.Listen(host: $0.host, port: $0.port) }, tls: tls)
        front.limits.connections = limits.connections
        front.limits.connectionsPerAddress = limits.connectionsPerAddress
        front.limits.headerBytes = Int(limits.headerSize)
        front.limits.requestBody = limits.requestSize
        front.timeouts.head = limits.headerTimeout
        front.timeouts.idle = limits.idleTimeout
        front.timeouts.writeStall = limits.stallTimeout
        return front
    }

    /// The address for the node's own commands: plain HTTP on loopback, a port of the system's choice.
    package var controlConfiguration: HTTPServer.Configuration {
        var control = HTTPServer.Configuration(listen: [HTTPServer.Listen(host: "127.0.0.1", port: 0)])
        control.eventLoops = 1
        control.diskThreads = 1
        control.limits.connections = 256
        control.limits.requestBody = AdminProtocol.requestLimit
        control.timeouts.writeStall = limits.stallTimeout
        return control
    }

    package func upstreamConfiguration(_ secrets: NodeSecrets) -> HTTPUpstreamClient.Configuration {
        var client = HTTPUpstreamClient.Configuration(
            redirects: RedirectPolicy(
                configured: askedOrigins, redirectHosts: upstream.redirectHosts,
                onlyRedirectHosts: upstream.onlyRedirectHosts),
            credentials: secrets.credentials)
        client.connectTimeout = upstream.connectTimeout
        client.firstByteTimeout = upstream.firstByteTimeout
        client.stallTimeout = upstream.stallTimeout
        client.proxy = secrets.proxy
        client.certificateAuthorities = upstream.caFiles
        client.userAgent = "edgenode/\(Version.text)"
        return client
    }
}

extension Configuration {
    package var goModuleConfiguration: GoModuleConfiguration {
        var modules = GoModuleConfiguration(upstreams: go.upstreams)
        modules.access = go.access
        modules.privateModules = go.private
        modules.freshFor = go.freshFor
        modules.missFor = go.missFor
        modules.databasePatience = go.sumDBWait
        return modules
    }
}
