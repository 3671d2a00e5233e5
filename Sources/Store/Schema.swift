/// The tables, as SQL. docs/audit-schema.md explains them and the views that other programs should read.
enum Schema {
  static let version1 = """
    -- What failures have in common, once: jail, pattern, source and, for the journal, the sequence that cursors count in.
    CREATE TABLE origin (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, filter TEXT NOT NULL, pattern TEXT NOT NULL, file TEXT NOT NULL,
      source TEXT NOT NULL, journal TEXT NOT NULL,
      UNIQUE (jail, filter, pattern, file, source, journal)
    );
    CREATE TABLE user_name (id INTEGER PRIMARY KEY, name NOT NULL UNIQUE);

    -- Failures as they were committed, a batch a row, before they are settled into rows of `failure`.
    CREATE TABLE pending (sequence INTEGER PRIMARY KEY, records BLOB NOT NULL);

    CREATE TABLE failure (
      id INTEGER PRIMARY KEY,
      time INTEGER NOT NULL,     -- microseconds since 1970
      address,                   -- IPv4: integer; IPv6: 16 bytes; a name: text
      origin INTEGER NOT NULL,
      user INTEGER,
      count INTEGER NOT NULL,
      weight INTEGER NOT NULL,
      place INTEGER NOT NULL,    -- file offset, or the journal's sequence number
      line                       -- text; a blob where it is not UTF-8
    );
    CREATE INDEX failure_time ON failure (time);
    CREATE INDEX failure_address ON failure (id >> 16, address);
    -- The last line of a row that stands for several lines.
    CREATE TABLE last_line (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, place INTEGER NOT NULL, line);

    CREATE TABLE decision (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, jail TEXT NOT NULL, identity TEXT NOT NULL,
      address, prefix INTEGER, until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, cause TEXT NOT NULL,
      uid INTEGER, command TEXT
    );
    CREATE INDEX decision_time ON decision (time);
    CREATE INDEX decision_address ON decision (address);
    CREATE TABLE ban (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, identity TEXT NOT NULL, address, prefix INTEGER, since INTEGER NOT NULL,
      until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, applied INTEGER,
      start_cause TEXT NOT NULL, start_uid INTEGER, start_command TEXT,
      ended INTEGER, end_cause TEXT, end_uid INTEGER, end_command TEXT
    );
    CREATE UNIQUE INDEX ban_in_force ON ban (identity, jail) WHERE ended IS NULL;
    CREATE INDEX ban_identity ON ban (identity, jail);
    CREATE INDEX ban_address ON ban (address);
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
      uid INTEGER, command TEXT NOT NULL
    );
    CREATE INDEX event_time ON event (time);

    CREATE TABLE position (
      source TEXT PRIMARY KEY, device TEXT, inode TEXT, fingerprint TEXT, length INTEGER, place TEXT NOT NULL
    ) WITHOUT ROWID;

    -- One row a transaction: which rows it added and the hash over them and the hash before.
    CREATE TABLE chain (
      sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL,
      -- The last row of each kind after it.
      origin INTEGER NOT NULL, failure INTEGER NOT NULL, decision INTEGER NOT NULL, event INTEGER NOT NULL,
      sums BLOB NOT NULL, hash BLOB NOT NULL
    );
    """
}
