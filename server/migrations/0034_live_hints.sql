-- What changed, for the pages that are open on other nodes. A row says as little as a hint does, and lives a minute.
-- sqlite:
CREATE TABLE live_hints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node BIGINT NOT NULL,
    at BIGINT NOT NULL,
    topics TEXT NOT NULL
);
-- postgres:
CREATE TABLE live_hints (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node BIGINT NOT NULL,
    at BIGINT NOT NULL,
    topics TEXT NOT NULL
);
-- both:
CREATE INDEX live_hints_by_time ON live_hints (at);
