-- Why the next word is due when it is: as was said (next_word), or because an estimate that was given ends (estimate).
ALTER TABLE promises ADD COLUMN due_because TEXT NOT NULL DEFAULT 'next_word';

-- What agents have been told about an incident, for their desk.
CREATE TABLE desk_notices (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    audience_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    words TEXT NOT NULL,
    next_update_by BIGINT
);
CREATE INDEX desk_notices_by_incident ON desk_notices (incident_id, id);
