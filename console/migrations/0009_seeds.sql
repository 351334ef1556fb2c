-- Trying the way out: a batch of nobody, and accounts that are known.

-- 1 for a batch of people who do not exist. It has no cases; its rosters have a list of its own.
ALTER TABLE batches ADD COLUMN trial INTEGER NOT NULL DEFAULT 0 CHECK (trial IN (0, 1));

-- Whom a trial asks about, and what the institution was told to hold for the trial.
CREATE TABLE trials (
    batch       INTEGER PRIMARY KEY REFERENCES batches (id),
    institution INTEGER NOT NULL REFERENCES institutions (id),
    sealed      BLOB NOT NULL
) STRICT;

-- What the answer says of them, in the same order.
CREATE TABLE trial_results (
    opening INTEGER PRIMARY KEY REFERENCES openings (id),
    sealed  BLOB NOT NULL
) STRICT;

-- People who agreed that a known account of theirs is asked about with everybody else's. They are no households.
CREATE TABLE canaries (
    id            INTEGER PRIMARY KEY,
    institution   INTEGER NOT NULL REFERENCES institutions (id),
    number_index  BLOB NOT NULL,
    sealed        BLOB NOT NULL, -- name, number, class of the amount
    authorisation TEXT NOT NULL, -- number of the form
    level         TEXT NOT NULL CHECK (level IN ('L0', 'L1', 'L2')), -- the most that may be asked
    signed        INTEGER NOT NULL,
    until         INTEGER,
    ended         INTEGER,
    entered_by    INTEGER NOT NULL REFERENCES staff (id),
    entered       INTEGER NOT NULL,
    confirmed     INTEGER, -- by a second person, who has seen the form; not asked about before
    confirmed_by  INTEGER REFERENCES staff (id)
) STRICT;

-- Their lines of the applicants' file, after those of the list.
ALTER TABLE rosters ADD COLUMN seeds_sealed BLOB;

CREATE TABLE roster_canaries (
    roster  INTEGER NOT NULL REFERENCES rosters (id),
    ordinal INTEGER NOT NULL, -- among the seeds, from 0
    canary  INTEGER NOT NULL REFERENCES canaries (id),
    PRIMARY KEY (roster, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX rosters_of_a_canary ON roster_canaries (canary, roster);

CREATE TABLE canary_results (
    opening INTEGER NOT NULL REFERENCES openings (id),
    canary  INTEGER NOT NULL REFERENCES canaries (id),
    outcome TEXT NOT NULL CHECK (outcome IN ('as_known', 'missing', 'amount')),
    PRIMARY KEY (opening, canary)
) STRICT, WITHOUT ROWID;
