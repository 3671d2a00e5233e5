/// The tables, as SQL. docs/audit-schema.md explains them and the views that other programs should read.
enum Schema {
  static let tables = """
    -- One row: which store this is.
    CREATE TABLE store (identity INTEGER NOT NULL) STRICT;
    INSERT INTO store VALUES (random() & 0xffffffff);

    -- Where failures come from: jail, pattern, source and, for the journal, the sequence that cursors count in.
    CREATE TABLE origin (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, filter TEXT NOT NULL, pattern TEXT NOT NULL, file TEXT NOT NULL,
      source TEXT NOT NULL, journal TEXT NOT NULL
    ) STRICT;
    -- What failures of one kind have in common; see Template.swift.
    CREATE TABLE template (
      id INTEGER PRIMARY KEY, origin INTEGER NOT NULL, weight INTEGER NOT NULL, rule ANY, text TEXT, stamp TEXT,
      zone INTEGER NOT NULL,
      last INTEGER NOT NULL      -- no failure behind this one has it, up to the last segment
    ) STRICT;
    -- What the rules of web application firewalls say.
    CREATE TABLE rule (rule TEXT PRIMARY KEY, message TEXT NOT NULL, severity TEXT NOT NULL) STRICT, WITHOUT ROWID;

    -- One row a transaction, with the failures that it added and the hash over what it added and the hash before.
    CREATE TABLE batch (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL,
      -- The last row of each kind after it.
      failure INTEGER NOT NULL, decision INTEGER NOT NULL, event INTEGER NOT NULL,
      -- Its first failure; what times and places count from, in so many microseconds; the oldest and the newest.
      first INTEGER, base_time INTEGER, base_place INTEGER, unit INTEGER, first_time INTEGER, last_time INTEGER,
      users TEXT, rows TEXT,     -- see BatchText.swift
      positions TEXT,            -- how far the sources are read that moved: see PositionTable.swift
      sums BLOB, row_sums BLOB,  -- four bytes a row: decisions and events, failures
      hash BLOB,                 -- every 64th, and the last
      decisions BLOB, events BLOB  -- digests of rows that retention removed
    ) STRICT;
    -- The transactions whose failures retention has removed, with the digest of these.
    CREATE TABLE link (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, failure INTEGER NOT NULL, decision INTEGER NOT NULL,
      event INTEGER NOT NULL, sums BLOB, hash BLOB, failures BLOB, decisions BLOB, events BLOB
    ) STRICT;
    -- Texts of failures that are not UTF-8.
    CREATE TABLE raw (id INTEGER PRIMARY KEY, name ANY, user ANY, line ANY, last ANY) STRICT;

    -- Rows of failures by the ten thousand: when they happened, and how many an hour; see SegmentBuilder.swift.
    CREATE TABLE segment (
      first INTEGER PRIMARY KEY, last INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL,
      first_batch INTEGER NOT NULL, last_batch INTEGER NOT NULL, counts BLOB NOT NULL
    ) STRICT;
    -- The index on ids and users; see PostingBlock.swift.
    CREATE TABLE posting (
      segment INTEGER NOT NULL, first BLOB NOT NULL, block BLOB NOT NULL, PRIMARY KEY (segment, first)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE decision (
      id INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, jail TEXT NOT NULL, identity TEXT NOT NULL,
      address ANY, prefix INTEGER, until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, cause TEXT NOT NULL,
      uid INTEGER, command TEXT, applied INTEGER, dry_run INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX decision_time ON decision (time);
    CREATE INDEX decision_address ON decision (address);
    CREATE TABLE ban (
      id INTEGER PRIMARY KEY, jail TEXT NOT NULL, identity TEXT NOT NULL, address ANY, prefix INTEGER, since INTEGER NOT NULL,
      until INTEGER, count INTEGER NOT NULL, number INTEGER NOT NULL, applied INTEGER, dry_run INTEGER NOT NULL,
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

    -- How far the sources are read, as of the transaction `batch`.
    CREATE TABLE position (
      source TEXT PRIMARY KEY, device TEXT, inode TEXT, fingerprint TEXT, length INTEGER, place TEXT NOT NULL,
      batch INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- How far consumers of the log have been told what is stored.
    CREATE TABLE consumer (name TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;
    -- What retention removed: all rows of a kind up to a number.
    CREATE TABLE removed (kind TEXT PRIMARY KEY, through INTEGER NOT NULL, time INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    -- How many failures, in how many rows, and bans of each jail it removed.
    CREATE TABLE total (
      jail TEXT PRIMARY KEY, failures INTEGER NOT NULL, rows INTEGER NOT NULL, bans INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """
}
