-- The same table as in PostgreSQL's one database (0018_ingest.sql): what was accepted and has not become alerts yet, a row
-- for what one commit accepted.
CREATE TABLE journal (
    node BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    signals BIGINT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (node, sequence)
);
