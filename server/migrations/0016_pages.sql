-- Counts what changes how locations stand, so that every node notices (see pages/board.rs). One row.
CREATE TABLE location_boards (
    only_one BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO location_boards (only_one, version) VALUES (1, 1);
CREATE INDEX location_reports_by_time ON location_reports (at);

-- What readers of status pages are told about planned work. Words for the public, and nothing else.
ALTER TABLE maintenance_windows ADD COLUMN public_words TEXT;
