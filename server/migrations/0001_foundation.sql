CREATE TABLE nodes (
    number BIGINT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value JSONB NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Named counters for the numbers that people read aloud (incident 1042, case 88213).
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    payload JSONB NOT NULL,
    unique_key TEXT NOT NULL UNIQUE,
    generation BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    leased_by TEXT,
    leased_until BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (due_at);
CREATE INDEX jobs_subject ON jobs (subject);

CREATE TABLE timeline_entries (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    incident_id TEXT,
    kind TEXT NOT NULL,
    agent_type TEXT NOT NULL,
    agent_id TEXT,
    agent_name TEXT NOT NULL,
    service_id TEXT,
    text TEXT NOT NULL,
    details JSONB NOT NULL
);
CREATE INDEX timeline_by_incident ON timeline_entries (incident_id, id);
CREATE INDEX timeline_by_agent ON timeline_entries (agent_id, id);
CREATE INDEX timeline_by_time ON timeline_entries (at, id);

CREATE TABLE audit_records (
    sequence BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL,
    method TEXT NOT NULL,
    truncated_token TEXT,
    remote_address TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    resource_name TEXT NOT NULL,
    details JSONB NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_by_resource ON audit_records (resource_type, resource_id);
CREATE INDEX audit_by_time ON audit_records (at);
