-- What every part of the console stands on. Columns named *_sealed hold XChaCha20-Poly1305 under the data
-- key, bound to table, column and row (store/vault.rs); *_index holds a keyed digest. Nothing else in here
-- tells who anybody is. Times are Unix seconds, days yyyymmdd.

-- The data key, sealed under the passphrase that is typed at start. One row.
CREATE TABLE vault (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    m_kib  INTEGER NOT NULL,
    t      INTEGER NOT NULL,
    p      INTEGER NOT NULL,
    salt   BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Row numbers are taken from here and never given out twice, not even after a row is destroyed.
CREATE TABLE sequences (
    name TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The hash chain. `entry` is the canonical JSON that `digest` is computed over; `kind` and `object` say
-- which row the entry's object digest stands for, and are checked against it.
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY,
    digest   BLOB NOT NULL,
    entry    TEXT NOT NULL,
    kind     TEXT,
    object   INTEGER
) STRICT;

CREATE INDEX log_of_an_object ON log (kind, object);

CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- The head of the log, signed by the centre's key at each dispatch: a log cut behind one shows.
CREATE TABLE checkpoints (
    sequence  INTEGER PRIMARY KEY REFERENCES log (sequence),
    digest    BLOB NOT NULL,
    at        INTEGER NOT NULL,
    key       BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Accounts. `person_index` is a keyed digest of the staff number: two accounts of one person share it, and
-- maker and checker are told apart by it.
CREATE TABLE staff (
    id             INTEGER PRIMARY KEY,
    code           TEXT NOT NULL UNIQUE,
    name_sealed    BLOB NOT NULL,
    person_index   BLOB NOT NULL,
    roles          INTEGER NOT NULL,
    active         INTEGER NOT NULL DEFAULT 1,
    password_salt  BLOB NOT NULL,
    password_hash  BLOB NOT NULL,
    must_change    INTEGER NOT NULL DEFAULT 1,
    totp_sealed    BLOB NOT NULL,
    totp_enrolled  INTEGER NOT NULL DEFAULT 0,
    totp_last_step INTEGER NOT NULL DEFAULT 0,
    officer_key    BLOB,
    failures       INTEGER NOT NULL DEFAULT 0,
    locked_until   INTEGER NOT NULL DEFAULT 0,
    created        INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id_sha256 BLOB PRIMARY KEY,
    staff     INTEGER NOT NULL REFERENCES staff (id),
    started   INTEGER NOT NULL,
    seen      INTEGER NOT NULL,
    full      INTEGER NOT NULL DEFAULT 1 -- 0: may only set password and one-time codes
) STRICT, WITHOUT ROWID;

-- Days that are no working days although in the week, and working days at a weekend (调休).
CREATE TABLE holidays (
    day     INTEGER PRIMARY KEY,
    working INTEGER NOT NULL,
    name    TEXT NOT NULL
) STRICT;
