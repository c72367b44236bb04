import Content

/// A row of the index's table of chunks.
struct ChunkRow: Sendable, Equatable {
    let number: Int64
    let id: ChunkID
    /// Recipes that use the chunk.
    let refs: Int64
    let record: RecordPlace
}

extension Schema {
    /// Chunks in packs and the recipes that use them. The counts follow from the recipes' rows by triggers, so
    /// that whoever drops a blob cannot forget its chunks. Numbers are never used twice: a recipe names its
    /// chunks by them.
    static let recipes = """
        CREATE TABLE chunks(
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id BLOB NOT NULL UNIQUE,
            record INTEGER NOT NULL,
            refs INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX chunks_unused ON chunks(number) WHERE refs = 0;
        CREATE TRIGGER chunk_dropped AFTER DELETE ON chunks BEGIN
            DELETE FROM records WHERE id = OLD.record;
        END;
        CREATE TRIGGER chunk_unused AFTER UPDATE OF refs ON chunks WHEN NEW.refs = 0 BEGIN
            DELETE FROM chunks WHERE number = NEW.number;
        END;
        CREATE TABLE recipes(
            blob INTEGER PRIMARY KEY,
            record INTEGER NOT NULL,
            runs TEXT NOT NULL);
        CREATE TRIGGER recipe_added AFTER INSERT ON recipes BEGIN
            UPDATE chunks SET refs = refs + 1 WHERE number IN (\(chunksOfRuns("NEW")));
        END;
        CREATE TRIGGER recipe_dropped AFTER DELETE ON recipes BEGIN
            DELETE FROM records WHERE id = OLD.record;
            UPDATE chunks SET refs = refs - 1 WHERE number IN (\(chunksOfRuns("OLD")));
        END;
        CREATE TRIGGER folded_blob_dropped AFTER DELETE ON blobs WHEN OLD.place = 2 BEGIN
            DELETE FROM recipes WHERE blob = OLD.id;
        END;
        """

    private static func chunksOfRuns(_ row: String) -> String {
        """
        SELECT chunks.number FROM json_each(\(row).runs) AS run CROSS JOIN chunks
        WHERE chunks.number BETWEEN json_extract(run.value, '$[0]') AND json_extract(run.value, '$[1]')
        """
    }
}

extension Connection {
    private static let chunkColumns = """
        SELECT chunks.number, chunks.id, chunks.refs, records.pack, records.offset, records.length
        FROM chunks JOIN records ON records.id = chunks.record
        """

    private func readChunk(_ row: Statement) throws(StoreError) -> ChunkRow {
        guard let id = ChunkID(row.blob(1)) else {
            throw .database(code: 11, message: "a bad chunk id in the index", doing: "reading chunks")
        }
        let place = RecordPlace(pack: row.integer(3), offset: row.integer(4), length: row.integer(5))
        return ChunkRow(number: row.integer(0), id: id, refs: row.integer(2), record: place)
    }

    func chunk(_ id: ChunkID) throws(StoreError) -> ChunkRow? {
        try first(Self.chunkColumns + " WHERE chunks.id = ?", .blob(id.bytes), read: readChunk)
    }

    func chunk(number: Int64) throws(StoreError) -> ChunkRow? {
        try first(Self.chunkColumns + " WHERE chunks.number = ?", .integer(number), read: readChunk)
    }

    /// Adds a chunk that no recipe uses yet and gives its number; one that is there already keeps its own.
    func insertChunk(_ id: ChunkID, at place: RecordPlace) throws(StoreError) -> Int64 {
        if let known = try chunk(id) { return known.number }
        let record = try insertRecord(place)
        try run("INSERT INTO chunks(id, record) VALUES (?, ?)", .blob(id.bytes), .integer(record))
        return lastInsertedRow
    }

    /// Drops the chunks that no recipe uses: left over by folds that did not end well.
    func deleteUnusedChunks() throws(StoreError) { try run("DELETE FROM chunks WHERE refs = 0") }

    func countChunks(in runs: ChunkRuns) throws(StoreError) -> Int {
        var count = 0
        for run in runs.ranges {
            count +=
                try first(
                    "SELECT count(*) FROM chunks WHERE number BETWEEN ? AND ?", .integer(run.lowerBound),
                    .integer(run.upperBound)
                ) { Int($0.integer(0)) } ?? 0
        }
        return count
    }

    func insertRecipe(blob: Int64, record: RecordPlace, runs: ChunkRuns) throws(StoreError) {
        let record = try insertRecord(record)
        try run(
            "INSERT INTO recipes(blob, record, runs) VALUES (?, ?, ?)", .integer(blob), .integer(record),
            .text(runs.json))
    }

    /// Drops the blob's recipe; its chunks lose one use each.
    func deleteRecipe(blob: Int64) throws(StoreError) {
        try run("DELETE FROM recipes WHERE blob = ?", .integer(blob))
    }

    func recipeRecord(blob: Int64) throws(StoreError) -> RecordPlace? {
        guard
            let record = try first(
                "SELECT record FROM recipes WHERE blob = ?", .integer(blob),
                read: {
                    $0.integer(0)
                })
        else { return nil }
        return try self.record(record)
    }

    /// The blobs whose recipes use a chunk.
    func blobs(usingChunk number: Int64) throws(StoreError) -> [BlobRow] {
        let ids = try all(
            """
            SELECT blob FROM recipes WHERE EXISTS (SELECT 1 FROM json_each(runs) AS run
                WHERE ? BETWEEN json_extract(run.value, '$[0]') AND json_extract(run.value, '$[1]'))
            """, .integer(number)
        ) { $0.integer(0) }
        var rows: [BlobRow] = []
        for id in ids { if let row = try blob(id: id) { rows.append(row) } }
        return rows
    }

    func setPlace(_ place: BlobPlace, ofBlob id: Int64) throws(StoreError) {
        try run("UPDATE blobs SET place = ? WHERE id = ?", .integer(place.rawValue), .integer(id))
    }
}

/// A set of chunk numbers as runs: a fold's chunks are mostly consecutive.
struct ChunkRuns: Equatable, Sendable {
    /// Rising, not adjacent, both ends included.
    private(set) var ranges: [ClosedRange<Int64>] = []

    init(_ numbers: some Sequence<Int64>) {
        for number in Set(numbers).sorted() {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
    }

    /// How many numbers there are.
    var count: Int { ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

    /// `[[first,last],...]`, as the index keeps it and its triggers read it.
    var json: String {
        "[" + ranges.map { "[\($0.lowerBound),\($0.upperBound)]" }.joined(separator: ",") + "]"
    }
}
