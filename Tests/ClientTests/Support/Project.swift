import Foundation

/// Where the tests find what they run; scripts/setup-tests.sh makes all of it but the node.
enum Project {
    /// The checkout that this file was compiled from.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    static let cache = root + "/.cache"
    /// Are the long runs wanted too?
    static let isSoak = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"
    /// `edgenode` as built together with these tests; EDGENODE_BINARY names another one.
    static let node =
        ProcessInfo.processInfo.environment["EDGENODE_BINARY"] ?? buildDirectory + "/edgenode"

    /// The stand-in upstream's commands.
    static func tool(_ name: String) -> String { "\(cache)/bin/1.27.3/\(name)" }

    /// A module tree whose zips were made by one Go release.
    static func tree(_ release: String) -> String { "\(cache)/tree/\(release)/modules" }
    static let toolchainTree = cache + "/tree/toolchain/modules"
    /// The go command's own test modules.
    static let corpus = cache + "/go/1.27.3/src/cmd/go/testdata/mod"
    /// Real data of the public checksum database, as a static file tree.
    static let checksumData = root + "/Tests/Data/sumdb"
    /// A program of 53 modules.
    static let example = root + "/examples/modules"

    /// The folder of the running test binary, which is where the build put the node too.
    private static var buildDirectory: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    }
}
