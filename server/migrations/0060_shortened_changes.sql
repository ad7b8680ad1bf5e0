-- What of a change event was shortened or left out when it was accepted, as alerts have it.
ALTER TABLE change_events ADD COLUMN truncated JSONB NOT NULL DEFAULT '[]';
