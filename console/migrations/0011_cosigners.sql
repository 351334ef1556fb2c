-- Second organisations that sign rosters: which key a co-signing request is sealed to, for each signing key that
-- agreements name. A second person confirms it, as an agreement.
CREATE TABLE cosigners (
    id           INTEGER PRIMARY KEY,
    code         TEXT NOT NULL,
    name         TEXT NOT NULL,
    signing_key  BLOB NOT NULL UNIQUE,
    digest       BLOB NOT NULL,
    document     BLOB NOT NULL,
    added_by     INTEGER NOT NULL REFERENCES staff (id),
    added        INTEGER NOT NULL,
    confirmed_by INTEGER REFERENCES staff (id),
    confirmed    INTEGER
) STRICT;
