-- What the host remembers. It holds sealed and signed documents and who exchanged them when; there is
-- no column for a person, a name or an amount, because nothing here can read one.
--
-- Digests and keys are 32 bytes, times are Unix seconds, `position` is the log entry that recorded the row.

-- The hash chain of SPEC §9. `entry` is the canonical JSON that `digest` is computed over.
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY,
    digest   BLOB NOT NULL,
    entry    TEXT NOT NULL
) STRICT;

CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

CREATE TABLE agreements (
    digest          BLOB PRIMARY KEY,
    position        INTEGER NOT NULL UNIQUE REFERENCES log (sequence),
    accepted        INTEGER NOT NULL,
    centre          TEXT NOT NULL,
    centre_key      BLOB NOT NULL,
    institution     TEXT NOT NULL,
    institution_key BLOB NOT NULL,
    document        BLOB NOT NULL
) STRICT;

CREATE INDEX agreements_of_an_institution ON agreements (institution_key);

CREATE TABLE rosters (
    digest          BLOB PRIMARY KEY,
    position        INTEGER NOT NULL UNIQUE REFERENCES log (sequence),
    agreement       BLOB NOT NULL REFERENCES agreements (digest),
    centre_key      BLOB NOT NULL,
    institution     TEXT NOT NULL,
    institution_key BLOB NOT NULL,
    serial          INTEGER NOT NULL,
    head            BLOB NOT NULL,    -- the envelope up to its body
    blob            TEXT NOT NULL,    -- SHA-256 of the whole envelope, and its name among the blobs
    bytes           INTEGER NOT NULL, -- length of the whole envelope
    answer_bytes    INTEGER NOT NULL, -- length of the body of every answer
    fetched         INTEGER,          -- when the institution first fetched it
    UNIQUE (centre_key, institution, serial)
) STRICT;

CREATE INDEX rosters_of_an_institution ON rosters (institution_key);

CREATE TABLE answers (
    digest   BLOB PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE REFERENCES log (sequence),
    roster   BLOB NOT NULL REFERENCES rosters (digest),
    version  INTEGER NOT NULL,
    received INTEGER NOT NULL,
    blob     TEXT NOT NULL,    -- as in rosters
    bytes    INTEGER NOT NULL, -- as in rosters
    receipt  BLOB NOT NULL,
    UNIQUE (roster, version)
) STRICT;

-- Who is signed in. The token itself is not here, only its SHA-256. A challenge is used up by standing
-- here; rows outlive challenges, so none can come back.
CREATE TABLE sessions (
    token_sha256 BLOB PRIMARY KEY,
    challenge    BLOB NOT NULL UNIQUE,
    key          BLOB NOT NULL,
    expires      INTEGER NOT NULL
) STRICT;
