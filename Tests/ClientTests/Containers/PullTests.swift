import Testing

extension ContainerTests {
    @Suite("through a node", .timeLimit(.minutes(10)))
    struct Pulls {
        /// An image as a client asks for it.
        struct Request: Sendable {
            var image: TestImage
            var name: String
            var architecture: String
        }

        /// By tag and by digest, for both platforms, in every compression and by every digest that the client takes.
        static func requests(for kind: ContainerClientKind) throws -> [Request] {
            let gzip = try TestImage.named("library/small:gzip")
            var list = ["amd64", "arm64"].map { Request(image: gzip, name: gzip.name, architecture: $0) }
            let digest = "\(gzip.repository)@\(gzip.digest)"
            list.append(.init(image: gzip, name: digest, architecture: "arm64"))
            if kind.takesZstd {
                let zstd = try TestImage.named("library/small:zstd")
                // A name of one segment is what people write.
                list.append(.init(image: zstd, name: "library/small:zstd", architecture: "amd64"))
            }
            if kind.takesSHA512 {
                let image = try TestImage.named("library/small:sha512")
                list.append(.init(image: image, name: image.name, architecture: "amd64"))
            }
            return list
        }

        @Test(
            "a client gets every kind of image, again at the price of HEADs, and after a restart with upstream gone",
            arguments: ContainerClientKind.allCases)
        func threeTimes(kind: ContainerClientKind) async throws {
            try await withRegistrySite { site in
                let requests = try Self.requests(for: kind)
                for wanted in requests {
                    try await site.pull(
                        wanted.image, with: kind, as: wanted.name, architecture: wanted.architecture)
                }
                let fetched = try await site.fetched()
                #expect(!fetched.isEmpty)
                #expect(Set(fetched).count == fetched.count, "fetched twice: \(fetched.sorted())")

                try await site.upstream.forget()
                for wanted in requests {
                    try await site.pull(
                        wanted.image, with: kind, as: wanted.name, architecture: wanted.architecture)
                }
                #expect(try await site.fetched() == [])
                #expect(try await !site.upstream.log().isEmpty, "nobody asked whether the tags have moved")

                try await site.stopUpstream()
                try await site.restartNode()
                for wanted in requests {
                    try await site.pull(
                        wanted.image, with: kind, as: wanted.name, architecture: wanted.architecture)
                }
                try await site.startUpstream()
            }
        }

        @Test("all clients at once, with nothing held, cost upstream one GET of each thing")
        func together() async throws {
            try await withRegistrySite { site in
                let image = try TestImage.named("library/small:gzip")
                let lab = site.lab
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for kind in ContainerClientKind.allCases {
                        let client = try await lab.client(kind)
                        group.addTask {
                            let pull = try await client.pull(image.name)
                            #expect(pull.succeeded, "\(kind): \(pull.text)")
                            #expect(try await client.holds(image, "amd64"), "\(kind): \(pull.text)")
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await lab.fallbacks().isEmpty)
                let fetched = try await site.fetched()
                #expect(Set(fetched).count == fetched.count, "fetched twice: \(fetched.sorted())")
            }
        }

        @Test("16 clients of one cold layer cost one upstream GET, and all get its bytes")
        func singleFlight() async throws {
            try await withRegistrySite { site in
                let image = try TestImage.named("library/small:gzip")
                let layer = try #require(image.platform("amd64").layers.max { $0.size < $1.size })
                let expected = try TestImage.bytes(layer.digest)
                try await site.open(image)
                let path = "/v2/\(image.repository)/blobs/\(layer.digest)"
                try await site.upstream.set([.init(path: path, action: "stall", at: 1 << 20)])
                let (url, network) = (site.node.url + path, site.lab.network)
                let (begun, begins) = AsyncStream.makeStream(of: Void.self)
                try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
                    for _ in 0..<16 {
                        group.addTask {
                            try await blocking(in: network) {
                                var told = false
                                defer { if !told { begins.yield() } }
                                return try HTTPAnswer.get(url) {
                                    told = true
                                    begins.yield()
                                }
                            }
                        }
                    }
                    var waiting = 16
                    for await _ in begun {
                        waiting -= 1
                        if waiting == 0 { break }
                    }
                    try await site.upstream.behave()
                    for try await answer in group {
                        #expect(answer.status == 200)
                        let same = answer.body == expected
                        #expect(same, "the bytes differ")
                    }
                }
                #expect(try await site.upstream.counts()[path]?.gets == 1)
            }
        }
    }
}
