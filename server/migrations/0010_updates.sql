-- A group of readers: its own words, cadence and approval. readers is public or internal; templates hold only
-- what differs from the built-in ones; channels say where published words go.
CREATE TABLE audiences (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    readers TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    approval TEXT NOT NULL,
    -- Minutes between two updates: in the first two hours of an incident, and after them.
    cadence_minutes BIGINT NOT NULL,
    later_cadence_minutes BIGINT NOT NULL,
    templates JSONB NOT NULL,
    channels JSONB NOT NULL,
    position BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX audiences_by_name ON audiences (name) WHERE deleted_at IS NULL;

INSERT INTO audiences (id, name, readers, language, time_zone, approval, cadence_minutes, later_cadence_minutes,
    templates, channels, position, created_at) VALUES
    ('QA1000000CUSTO', 'Customers', 'public', 'en', 'Etc/UTC', 'required', 20, 60, '{}', '[{"type":"status_page"}]', 1, 0),
    ('QA2000000AGENT', 'Agents', 'internal', 'en', 'Etc/UTC', 'not_required', 20, 60, '{}',
     '[{"type":"desk"},{"type":"subscribers"}]', 2, 0);

-- What people have said about an incident that no machine knows.
CREATE TABLE incident_statements (
    incident_id TEXT PRIMARY KEY REFERENCES incidents (id),
    stated JSONB NOT NULL,
    changed_at BIGINT NOT NULL
);

-- The facts as they stood, one row for each time they changed. Never altered.
CREATE TABLE incident_facts (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    revision BIGINT NOT NULL,
    facts JSONB NOT NULL,
    changes JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    agent_name TEXT NOT NULL,
    PRIMARY KEY (incident_id, revision)
);

-- An update for one audience, from draft to published. words are internal; public_words are written once,
-- when words for the public are published, and hold nothing else.
CREATE TABLE updates (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    audience_id TEXT NOT NULL REFERENCES audiences (id),
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    subject TEXT NOT NULL,
    words TEXT NOT NULL,
    public_subject TEXT,
    public_words TEXT,
    edited BOOLEAN NOT NULL,
    facts_revision BIGINT NOT NULL,
    next_update_by BIGINT,
    approved_by TEXT REFERENCES users (id),
    approved_at BIGINT,
    published_by_id TEXT,
    published_by_name TEXT,
    published_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX updates_by_incident ON updates (incident_id, id);
CREATE UNIQUE INDEX updates_open ON updates (incident_id, audience_id) WHERE state IN ('draft', 'approved');
CREATE INDEX updates_by_publication ON updates (published_at) WHERE published_at IS NOT NULL;

-- "You will hear from us by": one open promise for each incident and audience.
CREATE TABLE promises (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    audience_id TEXT NOT NULL REFERENCES audiences (id),
    update_id TEXT NOT NULL REFERENCES updates (id),
    state TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    nagged_at BIGINT,
    missed_at BIGINT,
    reminders BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX promises_open ON promises (incident_id, audience_id) WHERE ended_at IS NULL;
CREATE INDEX promises_by_due ON promises (due_at) WHERE ended_at IS NULL;

-- The dialect's own status updates, for subscribers inside.
CREATE TABLE status_updates (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    sender_id TEXT,
    message TEXT NOT NULL,
    subject TEXT,
    html_message TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX status_updates_by_incident ON status_updates (incident_id, id);

CREATE TABLE status_update_subscribers (
    subscribable_type TEXT NOT NULL,
    subscribable_id TEXT NOT NULL,
    subscriber_type TEXT NOT NULL,
    subscriber_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (subscribable_type, subscribable_id, subscriber_type, subscriber_id)
);
