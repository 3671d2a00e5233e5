/// The tables, as SQL. docs/audit-schema.md explains them and the views that other programs should read.
enum Schema {
  static let tables = """
    -- One row: which store this is.
    CREATE TABLE store (identity INTEGER NOT NULL) STRICT;
    INSERT INTO store VALUES (random() & 0xffffffff);

    -- What failures have in common, once: jail, pattern, source and, for the journal, the sequence that cursors count in.
    CREATE TABLE origin (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, filter TEXT NOT NULL, pattern TEXT NOT NULL, file TEXT NOT NULL,
      source TEXT NOT NULL, journal TEXT NOT NULL,
      UNIQUE (jail, filter, pattern, file, source, journal)
    ) STRICT;
    CREATE TABLE user_name (id INTEGER PRIMARY KEY, name ANY NOT NULL UNIQUE) STRICT;

    -- Failures as they were committed, a batch a row, before they are indexed into rows of `failure`.
    CREATE TABLE pending (sequence INTEGER PRIMARY KEY, heads BLOB NOT NULL, lines BLOB NOT NULL) STRICT;

    CREATE TABLE failure (
      id INTEGER PRIMARY KEY,
      time INTEGER NOT NULL,     -- microseconds since 1970
      address ANY,               -- IPv4: integer; IPv6: 16 bytes; a name: text
      origin INTEGER NOT NULL,
      user INTEGER,
      count INTEGER NOT NULL,
      weight INTEGER NOT NULL,
      place INTEGER NOT NULL,    -- file offset, or the journal's sequence number
      shape INTEGER,             -- of the line; null where `line` is the line itself
      line ANY,                  -- the shape's variables as a JSON array, or the line: text, a blob where it is not UTF-8
      rule INTEGER               -- of a web application firewall
    ) STRICT;
    CREATE INDEX failure_address ON failure (id >> 14, address, origin, count);
    CREATE INDEX failure_rule ON failure (rule, time) WHERE rule IS NOT NULL;
    CREATE TABLE rule (id INTEGER PRIMARY KEY, rule TEXT NOT NULL UNIQUE, message TEXT NOT NULL, severity TEXT NOT NULL) STRICT;
    -- What the lines of one kind have in common; see LineShape.swift.
    CREATE TABLE shape (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    -- When the failures of the chunk `id >> 14` happened.
    CREATE TABLE chunk (id INTEGER PRIMARY KEY, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL) STRICT;
    -- Failures of addresses that make up much of a full chunk, so that nobody has to count them again.
    CREATE TABLE frequent (
      chunk INTEGER NOT NULL, address ANY NOT NULL, origin INTEGER NOT NULL, failures INTEGER NOT NULL,
      first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (chunk, address, origin)
    ) STRICT, WITHOUT ROWID;
    -- Failures an hour, by origin (is_user 0) and by user (is_user 1).
    CREATE TABLE hourly (
      hour INTEGER NOT NULL, is_user INTEGER NOT NULL, key INTEGER NOT NULL, failures INTEGER NOT NULL,
      rows INTEGER NOT NULL, PRIMARY KEY (hour, is_user, key)
    ) STRICT, WITHOUT ROWID;
    -- The last line of a row that stands for several lines.
    CREATE TABLE last_line (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, place INTEGER NOT NULL, line ANY) STRICT;

    CREATE TABLE decision (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, jail TEXT NOT NULL, identity TEXT NOT NULL,
      address ANY, prefix INTEGER, until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, cause TEXT NOT NULL,
      uid INTEGER, command TEXT
    ) STRICT;
    CREATE INDEX decision_time ON decision (time);
    CREATE INDEX decision_address ON decision (address);
    CREATE TABLE ban (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, identity TEXT NOT NULL, address ANY, prefix INTEGER, since INTEGER NOT NULL,
      until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, applied INTEGER,
      start_cause TEXT NOT NULL, start_uid INTEGER, start_command TEXT,
      ended INTEGER, end_cause TEXT, end_uid INTEGER, end_command TEXT
    ) STRICT;
    CREATE UNIQUE INDEX ban_in_force ON ban (identity, jail) WHERE ended IS NULL;
    CREATE INDEX ban_address ON ban (address);
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
      uid INTEGER, command TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_time ON event (time);

    CREATE TABLE position (
      source TEXT PRIMARY KEY, device TEXT, inode TEXT, fingerprint TEXT, length INTEGER, place TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- How far consumers of the log have been told what is stored.
    CREATE TABLE consumer (name TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- One row a transaction: which rows it added and the hash over them and the hash before.
    CREATE TABLE chain (
      sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL,
      -- The last row of each kind after it.
      origin INTEGER NOT NULL, failure INTEGER NOT NULL, decision INTEGER NOT NULL, event INTEGER NOT NULL,
      sums BLOB NOT NULL,        -- four bytes a row: failures, decisions, events, origins
      hash BLOB,                 -- every 64th, and the last
      -- Digests of rows that retention removed.
      failures BLOB, decisions BLOB, events BLOB
    ) STRICT;
    -- What retention removed: all rows of a kind up to a number.
    CREATE TABLE removed (kind TEXT PRIMARY KEY, through INTEGER NOT NULL, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    """
}
