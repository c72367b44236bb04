// swift-tools-version: 6.2
import PackageDescription

// The fuzzers take the pure parts of the front by symbolic link, so that neither NIO nor TLS is built with
// the sanitizers. Build with: swift build -c release --sanitize fuzzer --sanitize address
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0")
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
            exclude: ["Endpoints"],
            swiftSettings: settings
        ),
        .target(name: "FuzzChecks", dependencies: ["ProxyFront"], swiftSettings: settings),
    ]
        + ["FuzzZip", "FuzzPath", "FuzzNote", "FuzzTile"].map { name in
            .executableTarget(name: name, dependencies: ["FuzzChecks"], swiftSettings: settings)
        }
)
