-- The order of the longest list: authorisations, newest first.
CREATE INDEX authorisations_by_signature ON authorisations (signed, id);
