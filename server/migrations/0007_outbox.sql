-- Every message is a row that is owed until it has been sent, refused for good, or is no longer wanted.
CREATE TABLE sends (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    recipient_name TEXT NOT NULL,
    user_id TEXT,
    incident_id TEXT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    html TEXT,
    headers JSONB NOT NULL,
    content_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    sent_at BIGINT,
    receipt TEXT,
    last_error TEXT
);
CREATE INDEX sends_by_incident ON sends (incident_id, id);
CREATE INDEX sends_by_user ON sends (user_id, id);
CREATE INDEX sends_by_state ON sends (state, due_at);

CREATE TABLE delivery_attempts (
    id TEXT PRIMARY KEY,
    send_id TEXT NOT NULL REFERENCES sends (id),
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    took_milliseconds BIGINT NOT NULL
);
CREATE INDEX delivery_attempts_by_send ON delivery_attempts (send_id);
