-- The report on an incident: facts generated from the timeline, words that people write.
CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL UNIQUE REFERENCES incidents (id),
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    facts JSONB NOT NULL,
    facts_revision BIGINT NOT NULL,
    generated_at BIGINT NOT NULL,
    -- The latest version of the words.
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    published_at BIGINT
);
CREATE INDEX reviews_by_created ON reviews (created_at, id);

CREATE TABLE review_versions (
    review_id TEXT NOT NULL REFERENCES reviews (id),
    number BIGINT NOT NULL,
    origin TEXT NOT NULL,
    body TEXT NOT NULL,
    author_type TEXT NOT NULL,
    author_id TEXT,
    author_name TEXT NOT NULL,
    facts_revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (review_id, number)
);
