-- Step 5: what households declared, what institutions found, the local rules; who opened and who confirmed.

-- Four eyes in the steps before: an agreement counts once another person has confirmed it, and a roster is sent
-- by another person than whoever made it. `closed` is when a roster's answer was given up; one that comes later
-- is taken all the same.
ALTER TABLE agreements ADD COLUMN confirmed_by INTEGER REFERENCES staff (id);
ALTER TABLE agreements ADD COLUMN confirmed INTEGER;
ALTER TABLE rosters ADD COLUMN made_by INTEGER REFERENCES staff (id);
ALTER TABLE rosters ADD COLUMN closed INTEGER;
ALTER TABLE rosters ADD COLUMN closed_by INTEGER REFERENCES staff (id);

-- An answer that was not taken: what was wrong with it, and whose it claimed to be.
CREATE TABLE refusals (
    id     INTEGER PRIMARY KEY,
    roster INTEGER NOT NULL REFERENCES rosters (id),
    digest BLOB NOT NULL,
    code   TEXT NOT NULL, -- answer_refused.… in the dictionary
    at     INTEGER NOT NULL,
    staff  INTEGER NOT NULL REFERENCES staff (id)
) STRICT;

CREATE INDEX refusals_of_a_roster ON refusals (roster);

-- An answer, opened once by two key officers. One that says more than was asked is refused: then nothing of it
-- is kept. `source_sealed` is what the institution looked at.
CREATE TABLE openings (
    id             INTEGER PRIMARY KEY,
    answer         INTEGER NOT NULL UNIQUE REFERENCES answers (id),
    first_officer  INTEGER NOT NULL REFERENCES staff (id),
    second_officer INTEGER NOT NULL REFERENCES staff (id),
    at             INTEGER NOT NULL,
    code           TEXT, -- why it was refused; null when it was opened
    source_sealed  BLOB,
    CHECK (first_officer <> second_officer)
) STRICT;

-- What one institution says of one person.
CREATE TABLE findings (
    id      INTEGER PRIMARY KEY,
    opening INTEGER NOT NULL REFERENCES openings (id),
    case_id INTEGER NOT NULL REFERENCES cases (id),
    person  INTEGER NOT NULL REFERENCES people (id),
    sealed  BLOB NOT NULL,
    UNIQUE (opening, person)
) STRICT;

CREATE INDEX findings_of_a_case ON findings (case_id, opening);

-- What a household declared (申报), an item a row.
CREATE TABLE declarations (
    id         INTEGER PRIMARY KEY,
    case_id    INTEGER NOT NULL REFERENCES cases (id),
    person     INTEGER NOT NULL REFERENCES people (id),
    sealed     BLOB NOT NULL,
    entered_by INTEGER NOT NULL REFERENCES staff (id),
    entered    INTEGER NOT NULL
) STRICT;

CREATE INDEX declarations_of_a_case ON declarations (case_id);

-- What a rule leaves out of account, with its evidence (scans of kind `evidence`, owner = this row).
CREATE TABLE exclusions (
    id         INTEGER PRIMARY KEY,
    case_id    INTEGER NOT NULL REFERENCES cases (id),
    person     INTEGER NOT NULL REFERENCES people (id),
    reason     TEXT NOT NULL, -- a code of the rule set
    sealed     BLOB NOT NULL,
    entered_by INTEGER NOT NULL REFERENCES staff (id),
    entered    INTEGER NOT NULL
) STRICT;

CREATE INDEX exclusions_of_a_case ON exclusions (case_id);

-- The local rules, as JSON (review/rules.rs). The highest version counts; each is kept.
CREATE TABLE rule_sets (
    version INTEGER PRIMARY KEY,
    content TEXT NOT NULL,
    made_by INTEGER NOT NULL REFERENCES staff (id),
    made    INTEGER NOT NULL
) STRICT;

-- What a second person said. A confirmation keeps, sealed, what it confirmed: figures, coverage, rules, flags.
CREATE TABLE reviews (
    id              INTEGER PRIMARY KEY,
    case_id         INTEGER NOT NULL REFERENCES cases (id),
    outcome         TEXT NOT NULL CHECK (outcome IN ('confirmed', 'requery')),
    staff           INTEGER NOT NULL REFERENCES staff (id),
    at              INTEGER NOT NULL,
    rule_set        INTEGER, -- version; 0 where the centre has none of its own
    digest          BLOB,    -- SHA-256 of the content, which begins with a random salt
    content_sealed  BLOB
) STRICT;

CREATE INDEX reviews_of_a_case ON reviews (case_id, id);

-- Whom a review sends back to be asked about once more; `batch` is the one that does.
CREATE TABLE requeries (
    id          INTEGER PRIMARY KEY,
    review      INTEGER NOT NULL REFERENCES reviews (id),
    case_id     INTEGER NOT NULL REFERENCES cases (id),
    person      INTEGER NOT NULL REFERENCES people (id),
    institution INTEGER NOT NULL REFERENCES institutions (id),
    batch       INTEGER REFERENCES batches (id),
    UNIQUE (review, person, institution)
) STRICT;

CREATE INDEX requeries_of_a_case ON requeries (case_id, batch);
