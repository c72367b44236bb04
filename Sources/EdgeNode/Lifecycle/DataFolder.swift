import Glibc

/// The folder that holds everything a node keeps, and where each thing stands in it.
package struct DataFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var store: String { path + "/store" }
    package var key: String { path + "/node.key" }
    /// Where a running node says how its commands reach it.
    package var runFile: String { path + "/run.json" }

    /// The audit file of a configuration; nil when there is none.
    package func auditFile(_ settings: AuditSettings) -> String? {
        settings.file.map { $0.hasPrefix("/") ? $0 : path + "/" + $0 }
    }

    /// Makes the folder and those above it where they are missing; what is made belongs to its owner alone.
    /// - Throws: `CommandFailure` naming the folder and the reason.
    package func create() throws(CommandFailure) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o700) != 0, errno != EEXIST {
                throw CommandFailure(
                    .cannotCreate,
                    "the data folder \(path) cannot be made: \(made): \(String(cString: strerror(errno)));"
                        + " set node.data_dir to a folder that this user may write")
            }
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw CommandFailure(
                .noPermission,
                "the data folder \(path) cannot be written by this user: \(String(cString: strerror(errno)))")
        }
    }
}
