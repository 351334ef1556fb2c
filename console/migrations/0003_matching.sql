-- Step 4: institutions, agreements, batches, rosters and the answers to them. Documents lie here as they are
-- exchanged: signed, and sealed where they hold anything about people.

CREATE TABLE institutions (
    id   INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL
) STRICT;

CREATE TABLE agreements (
    id          INTEGER PRIMARY KEY,
    institution INTEGER NOT NULL REFERENCES institutions (id),
    digest      BLOB NOT NULL UNIQUE,
    number      TEXT NOT NULL,
    level       TEXT NOT NULL,
    valid_from  INTEGER NOT NULL,
    valid_to    INTEGER NOT NULL,
    cosigned    INTEGER NOT NULL, -- whether a second organisation signs each roster
    document    BLOB NOT NULL,
    added_by    INTEGER NOT NULL REFERENCES staff (id),
    added       INTEGER NOT NULL
) STRICT;

CREATE INDEX agreements_of_an_institution ON agreements (institution, valid_to);

-- Cases that are asked about together: one day of property, one income period.
CREATE TABLE batches (
    id          INTEGER PRIMARY KEY,
    number      TEXT NOT NULL UNIQUE,
    as_of       INTEGER NOT NULL,
    income_from INTEGER,
    income_to   INTEGER,
    state       TEXT NOT NULL CHECK (state IN ('open', 'dispatched')),
    made_by     INTEGER NOT NULL REFERENCES staff (id),
    made        INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_cases (
    batch   INTEGER NOT NULL REFERENCES batches (id),
    case_id INTEGER NOT NULL REFERENCES cases (id),
    PRIMARY KEY (batch, case_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX batches_of_a_case ON batch_cases (case_id);

-- Whom rosters ask about. The rosters of a batch to many institutions mostly ask about the same people: they share
-- a list. `applicants_sealed` is the applicants' file that they were made from, line n + 2 of which is ordinal n:
-- with it, an answer's slots find their people again. `mark` is a keyed digest over the file and the rows below.
CREATE TABLE lists (
    id                INTEGER PRIMARY KEY,
    batch             INTEGER NOT NULL REFERENCES batches (id),
    mark              BLOB NOT NULL,
    applicants_sealed BLOB NOT NULL,
    UNIQUE (batch, mark)
) STRICT;

CREATE TABLE list_people (
    list          INTEGER NOT NULL REFERENCES lists (id),
    ordinal       INTEGER NOT NULL,
    person        INTEGER NOT NULL REFERENCES people (id),
    case_id       INTEGER NOT NULL REFERENCES cases (id),
    authorisation INTEGER NOT NULL REFERENCES authorisations (id),
    PRIMARY KEY (list, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX lists_of_a_person ON list_people (person, list);
CREATE INDEX lists_of_a_case ON list_people (case_id, list);

-- One roster an institution.
CREATE TABLE rosters (
    id          INTEGER PRIMARY KEY,
    batch       INTEGER NOT NULL REFERENCES batches (id),
    institution INTEGER NOT NULL REFERENCES institutions (id),
    list        INTEGER NOT NULL REFERENCES lists (id),
    agreement   INTEGER NOT NULL REFERENCES agreements (id),
    serial      INTEGER NOT NULL,
    digest      BLOB NOT NULL UNIQUE,
    level       TEXT NOT NULL,
    people      INTEGER NOT NULL,
    issued      INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('unsigned', 'ready', 'sent', 'answered', 'void')),
    way         TEXT CHECK (way IN ('host', 'file')),
    sent        INTEGER,
    document    BLOB NOT NULL,
    UNIQUE (institution, serial)
) STRICT;

CREATE INDEX rosters_of_a_batch ON rosters (batch);

CREATE INDEX rosters_of_a_list ON rosters (list);

-- Who is on a roster. What "who asked about me" is read from, and the guard against asking twice.
CREATE VIEW roster_people AS
SELECT rosters.id AS roster, ordinal, person, case_id, authorisation
FROM rosters JOIN list_people ON list_people.list = rosters.list;

-- Who was left out of a batch's roster for an institution, and why.
CREATE TABLE left_out (
    batch       INTEGER NOT NULL REFERENCES batches (id),
    institution INTEGER NOT NULL REFERENCES institutions (id),
    case_id     INTEGER NOT NULL REFERENCES cases (id),
    person      INTEGER NOT NULL REFERENCES people (id),
    code        TEXT NOT NULL,
    PRIMARY KEY (batch, institution, case_id, person)
) STRICT, WITHOUT ROWID;

-- Answers as they came: sealed. A later version supersedes; both are kept.
CREATE TABLE answers (
    id       INTEGER PRIMARY KEY,
    roster   INTEGER NOT NULL REFERENCES rosters (id),
    version  INTEGER NOT NULL,
    digest   BLOB NOT NULL UNIQUE,
    received INTEGER NOT NULL,
    way      TEXT NOT NULL CHECK (way IN ('host', 'file')),
    document BLOB NOT NULL,
    UNIQUE (roster, version)
) STRICT;
