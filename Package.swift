// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "edgenode",
    products: [
        .executable(name: "edgenode", targets: ["EdgeNode"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // Debian: libsodium-dev liblz4-dev libsqlite3-dev libisal-dev libpsl-dev (scripts/setup.sh installs them).
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CDeflate", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
        .systemLibrary(name: "CPSL", pkgConfig: "libpsl", providers: [.apt(["libpsl-dev"])]),
        .systemLibrary(name: "CLinux"),

        .target(
            name: "Content",
            dependencies: [.product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: settings
        ),
        .target(
            name: "ChunkStore",
            dependencies: [
                "Content", "CLZ4", "CSQLite", "CLinux",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Gossip",
            dependencies: [
                "Content", "CSodium",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "PeerExchange",
            dependencies: [
                "Content", "ChunkStore", "Gossip", "CSodium", "CLZ4",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ProxyFront",
            dependencies: [
                "Content", "ChunkStore", "Gossip", "PeerExchange", "CSodium", "CDeflate", "CPSL", "CLinux",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "EdgeNode",
            dependencies: [
                "Content", "ChunkStore", "Gossip", "PeerExchange", "ProxyFront",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: settings
        ),

        .testTarget(name: "ContentTests", dependencies: ["Content"], swiftSettings: settings),
        .executableTarget(
            name: "StoreCrasher",
            dependencies: ["ChunkStore", "Content", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Support/StoreCrasher", swiftSettings: settings),
        .testTarget(
            name: "ChunkStoreTests",
            dependencies: [
                "ChunkStore", "Content", "StoreCrasher", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .target(
            name: "GossipSimulation",
            dependencies: ["PeerExchange", "ChunkStore", "Gossip", "Content", "CSodium"],
            path: "Tests/Support/GossipSimulation", swiftSettings: settings),
        .executableTarget(
            name: "GossipTrace", dependencies: ["GossipSimulation"], path: "Tests/Support/GossipTrace",
            swiftSettings: settings),
        .testTarget(
            name: "GossipTests",
            dependencies: [
                "Gossip", "GossipSimulation", "GossipTrace", "Content",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PeerExchangeTests",
            dependencies: [
                "PeerExchange", "Gossip", "ChunkStore", "Content",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ProxyFrontTests",
            dependencies: [
                "ProxyFront", "PeerExchange", "Gossip", "ChunkStore", "Content",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "EdgeNodeTests",
            dependencies: [
                "EdgeNode", "ProxyFront", "PeerExchange", "Gossip", "ChunkStore", "Content",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .testTarget(name: "ClientTests", dependencies: ["Content"], swiftSettings: settings),
        .executableTarget(
            name: "LyingNode",
            dependencies: [
                "PeerExchange", "Gossip", "ChunkStore", "Content",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/Support/LyingNode", swiftSettings: settings),
        .testTarget(name: "ClusterTests", dependencies: ["Content", "LyingNode"], swiftSettings: settings),
    ]
)
