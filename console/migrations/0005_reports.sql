-- Step 6: reports, suspension reports, objections.

-- An objection (异议) to an issued report. It is answered by the next version of the report, which names it.
CREATE TABLE objections (
    id             INTEGER PRIMARY KEY,
    number         TEXT NOT NULL UNIQUE,
    case_id        INTEGER NOT NULL REFERENCES cases (id),
    person         INTEGER NOT NULL REFERENCES people (id), -- who objects
    against        INTEGER NOT NULL,  -- the row of the report
    received       INTEGER NOT NULL,  -- day
    due            INTEGER NOT NULL,  -- last day of the re-check
    case_due       INTEGER,           -- the case's day before; it comes back with a withdrawal
    ground_sealed  BLOB NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'answered', 'withdrawn')),
    outcome_sealed BLOB,              -- what was found on it; stands in the new version
    ended          INTEGER,
    entered_by     INTEGER NOT NULL REFERENCES staff (id),
    entered        INTEGER NOT NULL
) STRICT;

CREATE INDEX objections_of_a_case ON objections (case_id, id);
CREATE INDEX objections_by_state ON objections (state, due);

-- What was issued. Versions share the number; each is kept. Paper and signed copy are sealed, and null after
-- the file was destroyed.
CREATE TABLE reports (
    id              INTEGER PRIMARY KEY,
    number          TEXT NOT NULL,
    version         INTEGER NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('report', 'suspension')),
    case_id         INTEGER NOT NULL REFERENCES cases (id),
    review          INTEGER REFERENCES reviews (id),    -- what it says was confirmed there
    objection       INTEGER REFERENCES objections (id), -- what it answers
    digest          BLOB NOT NULL UNIQUE,               -- document digest of the signed copy
    pdf_sha256      BLOB NOT NULL,
    issued          INTEGER NOT NULL,
    issued_by       INTEGER NOT NULL REFERENCES staff (id),
    pdf_sealed      BLOB,
    document_sealed BLOB,
    UNIQUE (number, version)
) STRICT;

CREATE INDEX reports_of_a_case ON reports (case_id, id);
CREATE INDEX reports_by_time ON reports (issued);
