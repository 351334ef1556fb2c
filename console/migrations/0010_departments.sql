-- Other departments: institutions whose own table is matched here. The key that answers for one is made here and kept
-- sealed; what it hands over, and who signs what it hands over, stands with each agreement, which a second person
-- confirms.
CREATE TABLE departments (
    institution  INTEGER PRIMARY KEY REFERENCES institutions (id),
    key_sealed   BLOB NOT NULL, -- key file
    words_sealed BLOB NOT NULL  -- its passphrase
) STRICT;

CREATE TABLE department_terms (
    agreement INTEGER PRIMARY KEY REFERENCES agreements (id),
    content   TEXT NOT NULL, -- asset.… in the dictionary
    signer    BLOB NOT NULL  -- the department's own signing key
) STRICT;

-- Base data that was matched. The file itself is not kept.
CREATE TABLE base_data (
    id     INTEGER PRIMARY KEY,
    roster INTEGER NOT NULL REFERENCES rosters (id),
    digest BLOB NOT NULL,
    day    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    staff  INTEGER NOT NULL REFERENCES staff (id),
    UNIQUE (roster, digest)
) STRICT;
