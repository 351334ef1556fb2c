-- Step 7: closed files and their end, periodic re-checks, public notices.

-- What the township decided. `assistance_ended` is the last day of assistance, or the day it was refused.
-- `check_months` goes before what the class says; `next_check` is a day.
ALTER TABLE households ADD COLUMN assisted_from INTEGER;
ALTER TABLE households ADD COLUMN assistance_ended INTEGER;
ALTER TABLE households ADD COLUMN grant_sealed BLOB; -- fen a month, for the public notice
ALTER TABLE households ADD COLUMN check_months INTEGER CHECK (check_months IN (1, 3, 6, 12));
ALTER TABLE households ADD COLUMN next_check INTEGER;

CREATE INDEX households_to_check ON households (next_check);

-- A closed file. A case that was opened again has a file of a higher version. `document_sealed` is the signed
-- list of what is in it; null after it was destroyed.
CREATE TABLE archives (
    id              INTEGER PRIMARY KEY,
    sequence        INTEGER NOT NULL UNIQUE, -- counts all lists; each names the one before
    number          TEXT NOT NULL,
    version         INTEGER NOT NULL,
    case_id         INTEGER NOT NULL REFERENCES cases (id),
    kind            TEXT NOT NULL CHECK (kind IN ('approval', 'daily')),
    digest          BLOB NOT NULL UNIQUE,
    files           INTEGER NOT NULL,
    made            INTEGER NOT NULL,
    made_by         INTEGER NOT NULL REFERENCES staff (id),
    document_sealed BLOB,
    destroyed       INTEGER,
    UNIQUE (number, version)
) STRICT;

CREATE INDEX archives_of_a_case ON archives (case_id, version);

-- What is in a file: kept here (`own`), or by its row (`scan`, `paper`, `copy`).
CREATE TABLE archive_files (
    id      INTEGER PRIMARY KEY,
    archive INTEGER NOT NULL REFERENCES archives (id),
    name    TEXT NOT NULL,
    source  TEXT NOT NULL CHECK (source IN ('own', 'scan', 'paper', 'copy')),
    row     INTEGER,
    sealed  BLOB,
    UNIQUE (archive, name)
) STRICT;

-- Files whose time is over, proposed by one person and destroyed by another.
CREATE TABLE destroy_lists (
    id      INTEGER PRIMARY KEY,
    number  TEXT NOT NULL UNIQUE,
    state   TEXT NOT NULL CHECK (state IN ('proposed', 'done', 'dropped')),
    made    INTEGER NOT NULL,
    made_by INTEGER NOT NULL REFERENCES staff (id),
    ended   INTEGER,
    ended_by INTEGER REFERENCES staff (id)
) STRICT;

CREATE TABLE destroy_items (
    list    INTEGER NOT NULL REFERENCES destroy_lists (id),
    archive INTEGER NOT NULL REFERENCES archives (id), -- the last version of the file
    keep_to INTEGER NOT NULL,
    PRIMARY KEY (list, archive)
) STRICT, WITHOUT ROWID;

-- 公示: whose assistance is made public, where and when. Nothing of a bank's is in it.
CREATE TABLE notices (
    id        INTEGER PRIMARY KEY,
    number    TEXT NOT NULL UNIQUE,
    office    TEXT NOT NULL,
    first_day INTEGER NOT NULL,
    last_day  INTEGER NOT NULL,
    contact   TEXT NOT NULL, -- where objections go
    made      INTEGER NOT NULL,
    made_by   INTEGER NOT NULL REFERENCES staff (id)
) STRICT;

CREATE TABLE notice_items (
    notice    INTEGER NOT NULL REFERENCES notices (id),
    household INTEGER NOT NULL REFERENCES households (id),
    case_id   INTEGER NOT NULL REFERENCES cases (id),
    PRIMARY KEY (notice, household)
) STRICT, WITHOUT ROWID;
