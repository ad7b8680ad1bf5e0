-- Every message is a row that is owed until it has been sent, refused for good, or is no longer wanted.
-- The rows are their own queue: due_at is the next attempt of an owed one, and the end of the lease of one
-- that is being sent.
CREATE TABLE sends (
    id TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    channel TEXT NOT NULL,
    -- Lower goes first.
    priority BIGINT NOT NULL,
    address TEXT NOT NULL,
    recipient_name TEXT NOT NULL,
    user_id TEXT,
    incident_id TEXT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    html TEXT,
    headers JSONB NOT NULL,
    -- A link that only the recipient may know. It stands in for a mark in the body and is wiped once sent.
    secret_link TEXT,
    content_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When it ought to have gone out, for measuring delay.
    wanted_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    sent_at BIGINT,
    receipt TEXT,
    last_error TEXT
);
CREATE INDEX sends_by_incident ON sends (incident_id, id);
CREATE INDEX sends_by_user ON sends (user_id, id);
CREATE INDEX sends_to_do ON sends (channel, priority, due_at) WHERE state IN ('owed', 'sending');

CREATE TABLE delivery_attempts (
    send_id TEXT NOT NULL REFERENCES sends (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    took_milliseconds BIGINT NOT NULL,
    PRIMARY KEY (send_id, number)
);
