import Content

extension ChunkStore {
    /// Waits until nothing that an earlier crash left over is on the disk any more; at once after a clean close.
    public func recovered() async { await parts.swept.wait() }
}

extension StoreParts {
    /// Lists the blobs' directories and has the index writer unlink every file without a row. Blocks while
    /// listing; the writer looks at each suspect again, so that a blob being published is safe.
    func sweep() {
        for algorithm in DigestAlgorithm.allCases {
            let names = (try? files.list(layout.blobs(of: algorithm))) ?? []
            for name in names.sorted() {
                sweep(algorithm, directory: layout.blobs(of: algorithm) + "/" + name)
            }
        }
        // The writer takes operations in order: when this one is done, so are all drops.
        writer.enqueue(
            cost: 0, delay: .zero, prepare: { _ in }, apply: { _, _ in }, visible: { _ in },
            finish: { _ in self.swept.fire() })
    }

    private func sweep(_ algorithm: DigestAlgorithm, directory: String) {
        let digests = ((try? files.list(directory)) ?? []).compactMap { name in
            Hex.decode(name).flatMap { try? Digest(algorithm, bytes: $0) }
        }
        do {
            let suspects = try readers.readHere { connection in
                try digests.filter { digest in try connection.blob(digest)?.place != .file }
            }
            for suspect in suspects { drop(suspect) }
        } catch {
            logger.warning("cannot look for left-over files", metadata: ["reason": "\(error)"])
        }
    }

    private func drop(_ digest: Digest) {
        writer.enqueue(
            cost: 0, delay: .zero, prepare: { _ in },
            apply: { stage, _ in stage.dropFile(of: digest, size: 0) }, visible: { _ in },
            finish: { result in
                if case .failure(let error) = result {
                    self.logger.warning("cannot remove a left-over file", metadata: ["reason": "\(error)"])
                }
            })
    }
}
