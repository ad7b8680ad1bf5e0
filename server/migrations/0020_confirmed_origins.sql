-- What people said was the origin of an incident: a service, and the change that brought it about where one did. A
-- confirmation that is taken back is deleted; that it was said, and taken back, stands on the timeline.
CREATE TABLE confirmed_origins (
    incident_id TEXT PRIMARY KEY REFERENCES incidents (id),
    -- A technical service or a touchpoint.
    service_id TEXT NOT NULL,
    change_event_id TEXT REFERENCES change_events (id),
    -- What the change was, or the service's name, as it read when it was confirmed.
    summary TEXT NOT NULL,
    said_by TEXT,
    said_by_name TEXT NOT NULL,
    at BIGINT NOT NULL
);
