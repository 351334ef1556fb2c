-- What an administrator changed of the settings, with the value before.
CREATE TABLE setting_changes (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL,
    before INTEGER NOT NULL,
    after  INTEGER NOT NULL,
    staff  INTEGER NOT NULL REFERENCES staff (id),
    at     INTEGER NOT NULL
) STRICT;

-- Whether anybody of a case was left out of its batch's rosters.
CREATE INDEX left_out_of_a_case ON left_out (case_id, batch);
