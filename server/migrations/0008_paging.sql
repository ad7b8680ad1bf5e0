-- Links that acknowledge in one step, kept as hashes. One belongs to one page of one person.
CREATE TABLE acknowledge_links (
    token_hash TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX acknowledge_links_by_expiry ON acknowledge_links (expires_at);
