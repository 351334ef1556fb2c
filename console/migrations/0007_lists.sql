-- The order of the longest list: authorisations, newest first. With what the list is filtered by in it, rows before
-- the page shown need not be fetched.
CREATE INDEX authorisations_by_signature ON authorisations (signed, id, end_code, until, number);
