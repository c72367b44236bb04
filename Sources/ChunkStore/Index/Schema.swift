/// The tables of `index.sqlite` and how older ones become the current ones
/// (docs/store-format.md, "Index").
package enum Schema {
    /// Each entry takes the schema from version `offset` to `offset + 1`.
    package static let migrations: [String] = [core, recipes, wholeBlobs]

    package static var current: Int { migrations.count }

    private static let core = """
        CREATE TABLE state(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO state VALUES ('clean', 0);
        CREATE TABLE totals(name TEXT PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL)
            WITHOUT ROWID;
        INSERT INTO totals VALUES ('blobs', 0, 0), ('files', 0, 0), ('refs', 0, 0), ('records', 0, 0);

        CREATE TABLE packs(
            id INTEGER PRIMARY KEY,
            length INTEGER NOT NULL,
            live INTEGER NOT NULL DEFAULT 0,
            sealed INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE records(
            id INTEGER PRIMARY KEY,
            pack INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            length INTEGER NOT NULL);
        CREATE INDEX records_of_pack ON records(pack, offset);
        CREATE TRIGGER record_added AFTER INSERT ON records BEGIN
            UPDATE packs SET live = live + NEW.length WHERE id = NEW.pack;
            UPDATE totals SET count = count + 1, bytes = bytes + NEW.length WHERE name = 'records';
        END;
        CREATE TRIGGER record_dropped AFTER DELETE ON records BEGIN
            UPDATE packs SET live = live - OLD.length WHERE id = OLD.pack;
            UPDATE totals SET count = count - 1, bytes = bytes - OLD.length WHERE name = 'records';
        END;
        CREATE TRIGGER record_moved AFTER UPDATE OF pack ON records BEGIN
            UPDATE packs SET live = live - OLD.length WHERE id = OLD.pack;
            UPDATE packs SET live = live + NEW.length WHERE id = NEW.pack;
            UPDATE totals SET bytes = bytes + NEW.length - OLD.length WHERE name = 'records';
        END;

        CREATE TABLE blobs(
            id INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            place INTEGER NOT NULL,
            record INTEGER,
            created INTEGER NOT NULL,
            used INTEGER NOT NULL,
            hits INTEGER NOT NULL DEFAULT 0,
            access INTEGER NOT NULL DEFAULT 0);
        CREATE TRIGGER blob_added AFTER INSERT ON blobs BEGIN
            UPDATE totals SET count = count + 1, bytes = bytes + NEW.size WHERE name = 'blobs';
            UPDATE totals SET count = count + 1, bytes = bytes + NEW.size
                WHERE name = 'files' AND NEW.place = 0;
        END;
        CREATE TRIGGER blob_dropped AFTER DELETE ON blobs BEGIN
            UPDATE totals SET count = count - 1, bytes = bytes - OLD.size WHERE name = 'blobs';
            UPDATE totals SET count = count - 1, bytes = bytes - OLD.size
                WHERE name = 'files' AND OLD.place = 0;
            DELETE FROM records WHERE id = OLD.record;
            DELETE FROM refs WHERE blob = OLD.id;
        END;
        CREATE TRIGGER blob_moved AFTER UPDATE OF place ON blobs BEGIN
            UPDATE totals SET count = count - 1, bytes = bytes - OLD.size
                WHERE name = 'files' AND OLD.place = 0;
            UPDATE totals SET count = count + 1, bytes = bytes + NEW.size
                WHERE name = 'files' AND NEW.place = 0;
        END;

        CREATE TABLE refs(
            name TEXT PRIMARY KEY,
            blob INTEGER NOT NULL,
            learned INTEGER NOT NULL,
            checked INTEGER NOT NULL,
            origin TEXT NOT NULL,
            validator TEXT,
            type TEXT,
            verified INTEGER NOT NULL,
            access INTEGER NOT NULL,
            h1 TEXT,
            used INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX refs_of_blob ON refs(blob);
        CREATE TRIGGER ref_added AFTER INSERT ON refs BEGIN
            UPDATE totals SET count = count + 1 WHERE name = 'refs';
        END;
        CREATE TRIGGER ref_dropped AFTER DELETE ON refs BEGIN
            UPDATE totals SET count = count - 1 WHERE name = 'refs';
        END;

        CREATE TABLE pins(pattern TEXT PRIMARY KEY, made INTEGER NOT NULL) WITHOUT ROWID;
        """

    /// Blobs that are never cut into chunks.
    private static let wholeBlobs = "ALTER TABLE blobs ADD COLUMN whole INTEGER NOT NULL DEFAULT 0"

    /// Brings a database to the current version, each step in one transaction.
    /// - Throws: `StoreError.newerFormat` for a database of a later program, unchanged.
    package static func migrate(
        _ connection: Connection, through migrations: [String] = migrations
    ) throws(StoreError) {
        let version = Int(try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0)
        guard version <= migrations.count else {
            throw .newerFormat(what: connection.path, found: version, supported: migrations.count)
        }
        for next in version..<migrations.count {
            try connection.run("BEGIN IMMEDIATE")
            do throws(StoreError) {
                try connection.run(migrations[next])
                try connection.run("PRAGMA user_version = \(next + 1)")
                try connection.run("COMMIT")
            } catch {
                try? connection.run("ROLLBACK")
                throw error
            }
        }
    }
}
