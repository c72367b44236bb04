// swift-tools-version: 6.2
import PackageDescription

// The fuzzers take the pure parts of the front by symbolic link, so that of NIO only its core, and of TLS nothing,
// is built with the sanitizers. Build with: swift build -c release --sanitize fuzzer --sanitize address
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    // Of several such options the compiler heeds the last, so that of the package manager's two, one of which
    // counts coverage, only the address sanitizer would be left.
    .unsafeFlags(["-sanitize=fuzzer,address"]),
]

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .target(
            name: "Content",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),
        .target(
            name: "ProxyFront",
            dependencies: [
                "Content", "CSodium", "CDeflate", .product(name: "Crypto", package: "swift-crypto"),
            ],
            sources: ["Archive", "Checksums", "Names", "Patterns", "GoRequest.swift", "GoRequestError.swift"]
                .map {
                    "GoModules/\($0)"
                } + ["Patterns"],
            swiftSettings: settings
        ),
        // What other nodes send: gossip and the exchange between peers without their sockets.
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "ChunkStore",
            dependencies: [
                "Content", "CLZ4", "CSQLite",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Gossip",
            dependencies: ["Content", "CSodium"],
            exclude: [
                "DatagramHandler", "DatagramSocket", "GossipService", "StateFile",
            ].map { "Core/\($0).swift" },
            swiftSettings: settings
        ),
        .target(
            name: "PeerExchange",
            dependencies: [
                "Content", "ChunkStore", "Gossip", "CSodium",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            sources: [
                "PeerExchange.swift", "Content", "Calls", "Handshake", "Statements", "Pieces/PieceList.swift",
                "Fetch/FetchPlan.swift", "Fetch/FetchPlan+Parts.swift", "Session/FrameCodec.swift",
                "Session/HandshakeDriver.swift",
            ],
            swiftSettings: settings
        ),
        .target(
            name: "WireChecks",
            dependencies: [
                "Content", "Gossip", "PeerExchange", .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(name: "FuzzChecks", dependencies: ["ProxyFront"], swiftSettings: settings),
        // From a client's bytes to an answer's head.
        .target(
            name: "FrontHTTP",
            dependencies: ["Content", "Gossip", .product(name: "NIOCore", package: "swift-nio")],
            sources: [
                "ByteClass", "BodyParser", "ByteSearch", "Conditions", "Exchange", "FieldSection",
                "FrontFuzz", "HTTPDate",
                "HTTPMethod", "HeadWriter", "Headers", "KnownFields", "Multipart", "Outgoing",
                "RangeRequest", "Request", "RequestHead", "RequestLine", "RequestParser", "RequestTrace",
                "Response", "Status",
            ].map { "HTTP/\($0).swift" }
                + [
                    "GossipMetrics", "HeldImages", "MetricText", "MetricTypes", "Metrics", "NodeStatus",
                    "PeerMetrics", "RegistryMetrics", "UpstreamMetrics",
                ].map { "Status/\($0).swift" } + [
                    "Registry/Names/RegistryHost.swift", "Upstream/NetworkAddress.swift",
                    "Upstream/UpstreamRateLimit.swift",
                    "GoModules/Names/QuotedText.swift",
                ],
            swiftSettings: settings
        ),
        .executableTarget(name: "FuzzHTTP", dependencies: ["FrontHTTP"], swiftSettings: settings),
    ]
        + ["FuzzZip", "FuzzPath", "FuzzNote", "FuzzTile"].map { name in
            .executableTarget(name: name, dependencies: ["FuzzChecks"], swiftSettings: settings)
        }
        + ["FuzzDatagram", "FuzzRecord", "FuzzInventory", "FuzzExchange"].map { name in
            .executableTarget(name: name, dependencies: ["WireChecks"], swiftSettings: settings)
        }
)
