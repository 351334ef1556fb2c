-- Steps 1 to 3: authorisation, commission, acceptance.

CREATE TABLE people (
    id          INTEGER PRIMARY KEY,
    name_sealed BLOB NOT NULL,
    created     INTEGER NOT NULL
) STRICT;

-- A person's numbers: the current one has ordinal 0. No number stands for two people.
CREATE TABLE person_numbers (
    id            INTEGER PRIMARY KEY,
    person        INTEGER NOT NULL REFERENCES people (id),
    ordinal       INTEGER NOT NULL,
    number_index  BLOB NOT NULL UNIQUE,
    number_sealed BLOB NOT NULL,
    UNIQUE (person, ordinal)
) STRICT;

CREATE TABLE households (
    id             INTEGER PRIMARY KEY,
    number         TEXT NOT NULL UNIQUE,
    office         TEXT NOT NULL,
    class          TEXT NOT NULL DEFAULT 'B' CHECK (class IN ('A', 'B', 'C')),
    address_sealed BLOB
) STRICT;

-- 授权书: one a person. It lives until an event ends it, and an end date where the form has one.
CREATE TABLE authorisations (
    id            INTEGER PRIMARY KEY,
    number        TEXT NOT NULL UNIQUE,
    person        INTEGER NOT NULL REFERENCES people (id),
    form          TEXT NOT NULL CHECK (form IN ('own', 'guardian', 'agent')),
    kinds         TEXT NOT NULL,     -- kinds of institutions, with commas: bank,securities
    level         TEXT NOT NULL CHECK (level IN ('L0', 'L1', 'L2')), -- the most that may be asked
    signer_sealed BLOB NOT NULL,     -- who signed, where it was not the person
    signed        INTEGER NOT NULL,
    until         INTEGER,
    ended         INTEGER,           -- when an event ended it
    end_code      TEXT CHECK (end_code IN ('withdrawn', 'failed', 'left', 'members_changed')),
    entered_by    INTEGER NOT NULL REFERENCES staff (id),
    entered       INTEGER NOT NULL
) STRICT;

CREATE INDEX authorisations_of_a_person ON authorisations (person);

-- Papers as scanned. `kind` and `owner` say of what: authorisation, commission, evidence, report.
CREATE TABLE scans (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    owner    INTEGER NOT NULL,
    media    TEXT NOT NULL CHECK (media IN ('application/pdf', 'image/jpeg', 'image/png')),
    bytes    INTEGER NOT NULL,
    sha256   BLOB NOT NULL,
    sealed   BLOB NOT NULL,
    added_by INTEGER NOT NULL REFERENCES staff (id),
    added    INTEGER NOT NULL
) STRICT;

CREATE INDEX scans_of_an_owner ON scans (kind, owner);

-- One commission (委托) for one household, on its way through the steps. States are those of cases/case.rs.
CREATE TABLE cases (
    id          INTEGER PRIMARY KEY,
    number      TEXT UNIQUE,         -- given when it is accepted
    commission  TEXT NOT NULL,       -- the commission's own number
    household   INTEGER NOT NULL REFERENCES households (id),
    office      TEXT NOT NULL,
    task        TEXT NOT NULL CHECK (task IN ('new', 'yearly', 'periodic', 'complaint')),
    as_of       INTEGER NOT NULL,
    income_from INTEGER,
    income_to   INTEGER,
    received    INTEGER NOT NULL,
    state       TEXT NOT NULL,
    before      TEXT,                -- the state that a suspension interrupts
    due         INTEGER,             -- last day of the report's clock
    paused_from INTEGER,             -- day of the suspension under way
    paused_days INTEGER NOT NULL DEFAULT 0,
    entered_by  INTEGER NOT NULL REFERENCES staff (id),
    accepted_by INTEGER REFERENCES staff (id),
    UNIQUE (commission, household)
) STRICT;

CREATE INDEX cases_by_state ON cases (state, due);
CREATE INDEX cases_by_office ON cases (office, id);
CREATE INDEX cases_of_a_household ON cases (household);

-- Who is looked at: those who live together (ring 1) and those with a duty to support (ring 2).
CREATE TABLE members (
    id            INTEGER PRIMARY KEY,
    case_id       INTEGER NOT NULL REFERENCES cases (id),
    person        INTEGER NOT NULL REFERENCES people (id),
    relation      TEXT NOT NULL,
    ring          INTEGER NOT NULL CHECK (ring IN (1, 2)),
    authorisation INTEGER REFERENCES authorisations (id),
    UNIQUE (case_id, person)
) STRICT;

CREATE INDEX members_of_a_person ON members (person);

-- What happened to a case: what, who, when, and what was said.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    case_id     INTEGER NOT NULL REFERENCES cases (id),
    action      TEXT NOT NULL,
    staff       INTEGER NOT NULL REFERENCES staff (id),
    at          INTEGER NOT NULL,
    note_sealed BLOB
) STRICT;

CREATE INDEX events_of_a_case ON events (case_id, id);
