import ChunkStore
import Foundation

/// What a disk holds for sure, and what it was told but need not hold yet: the journal of a
/// `RecordingFileSystem` applied step by step, with a power failure possible after each.
///
/// The model is meaner than real file systems: a write that was not synced may be lost, torn into sectors or land
/// before an earlier one; a name that was not synced in its directory may be lost on its own; a rename between
/// directories is two names; a synced file may have no name.
struct SimulatedDisk {
    private enum NameChange {
        case link(String, file: Int)
        case unlink(String)
        case rename(String, to: String, file: Int)
        case makeDirectory(String)
    }
    fileprivate enum DataChange {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
    }

    /// How a crash treats what was not synced.
    enum Crash {
        /// All of it is lost.
        case losingAll
        /// All of it is there: the process died, the machine did not.
        case losingNothing
        /// Each change is kept, lost or torn by chance.
        case losingSome(seed: UInt64)
    }

    private var directories: Set<String> = [""]
    private var durableNames: [String: Int] = [:]
    private var names: [String: Int] = [:]
    private var unsyncedNames: [String: [NameChange]] = [:]
    private var durableData: [Int: [UInt8]] = [:]
    private var unsyncedData: [Int: [DataChange]] = [:]

    mutating func apply(_ operation: DiskOperation) {
        switch operation {
        case .nothing: break
        case .makeDirectory(let path):
            unsyncedNames[Self.parent(path), default: []].append(.makeDirectory(path))
        case .create(let path, let file):
            names[path] = file
            unsyncedNames[Self.parent(path), default: []].append(.link(path, file: file))
        case .write(let file, let offset, let bytes):
            unsyncedData[file, default: []].append(.write(offset: Int(offset), bytes: bytes))
        case .truncate(let file, let size): unsyncedData[file, default: []].append(.truncate(Int(size)))
        case .synchronize(let file):
            for change in unsyncedData.removeValue(forKey: file) ?? [] {
                Self.apply(change, to: &durableData[file, default: []])
            }
        case .synchronizeDirectory(let path):
            for change in unsyncedNames.removeValue(forKey: path) ?? [] {
                Self.apply(change, to: &durableNames, &directories)
            }
        case .rename(let source, let destination):
            guard let file = names.removeValue(forKey: source) else { return }
            names[destination] = file
            if Self.parent(source) == Self.parent(destination) {
                unsyncedNames[Self.parent(source), default: []].append(
                    .rename(source, to: destination, file: file))
            } else {
                unsyncedNames[Self.parent(destination), default: []].append(.link(destination, file: file))
                unsyncedNames[Self.parent(source), default: []].append(.unlink(source))
            }
        case .unlink(let path):
            names[path] = nil
            unsyncedNames[Self.parent(path), default: []].append(.unlink(path))
        }
    }

    /// What is left after a crash here and now: directories in their order, and files with their bytes.
    func remains(of crash: Crash) -> (directories: [String], files: [(path: String, bytes: [UInt8])]) {
        var survivors = self
        var chance = SplitMix(seed: 0)
        if case .losingSome(let seed) = crash { chance = SplitMix(seed: seed) }
        for directory in unsyncedNames.keys.sorted() {
            for change in unsyncedNames[directory] ?? [] where crash.keeps(&chance) {
                Self.apply(change, to: &survivors.durableNames, &survivors.directories)
            }
        }
        for file in unsyncedData.keys.sorted() {
            for change in unsyncedData[file] ?? [] where crash.keeps(&chance) {
                Self.apply(crash.tearing(change, &chance), to: &survivors.durableData[file, default: []])
            }
        }
        let directories = survivors.directories.sorted().filter { survivors.isReachable($0) }
        let files = survivors.durableNames.filter { survivors.isReachable(Self.parent($0.key)) }
            .sorted { $0.key < $1.key }.map { (path: $0.key, bytes: survivors.durableData[$0.value] ?? []) }
        return (directories, files)
    }

    /// Writes what is left after a crash here and now to the empty or missing directory `root`.
    func materialise(_ crash: Crash, at root: String) throws {
        let (directories, files) = remains(of: crash)
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for directory in directories where !directory.isEmpty {
            try FileManager.default.createDirectory(
                atPath: root + "/" + directory, withIntermediateDirectories: true)
        }
        for (path, bytes) in files {
            guard FileManager.default.createFile(atPath: root + "/" + path, contents: Data(bytes)) else {
                throw CocoaError(.fileWriteUnknown)
            }
        }
    }

    private func isReachable(_ directory: String) -> Bool {
        directory.isEmpty || directories.contains(directory) && isReachable(Self.parent(directory))
    }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    private static func apply(
        _ change: NameChange, to names: inout [String: Int], _ directories: inout Set<String>
    ) {
        switch change {
        case .link(let path, let file): names[path] = file
        case .unlink(let path): names[path] = nil
        case .rename(let source, let destination, let file):
            names[source] = nil
            names[destination] = file
        case .makeDirectory(let path): directories.insert(path)
        }
    }

    private static func apply(_ change: DataChange, to data: inout [UInt8]) {
        switch change {
        case .truncate(let size):
            if size < data.count {
                data.removeLast(data.count - size)
            } else {
                data.append(contentsOf: repeatElement(0, count: size - data.count))
            }
        case .write(let offset, let bytes):
            if data.count < offset + bytes.count {
                data.append(contentsOf: repeatElement(0, count: offset + bytes.count - data.count))
            }
            data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
    }
}

extension SimulatedDisk.Crash {
    fileprivate func keeps(_ chance: inout SplitMix) -> Bool {
        switch self {
        case .losingAll: false
        case .losingNothing: true
        case .losingSome: chance.next() % 3 > 0
        }
    }

    /// Half of the writes that are kept lose some of their sectors to zeros.
    fileprivate func tearing(
        _ change: SimulatedDisk.DataChange, _ chance: inout SplitMix
    ) -> SimulatedDisk.DataChange {
        guard case .losingSome = self, case .write(let offset, var bytes) = change, chance.next() % 2 == 0
        else { return change }
        let sector = 512
        if chance.next() % 2 == 0 {
            bytes.removeLast(bytes.count - Int(chance.next() % UInt64(bytes.count + 1)))
        } else {
            for start in stride(from: 0, to: bytes.count, by: sector) where chance.next() % 2 == 0 {
                let end = min(start + sector, bytes.count)
                bytes.replaceSubrange(start..<end, with: repeatElement(0, count: end - start))
            }
        }
        return .write(offset: offset, bytes: bytes)
    }
}
