-- How many reports are usual: one row, as far as it has been counted. What came after it is counted again from the cases.
CREATE TABLE usual_reports (
    id TEXT PRIMARY KEY,
    counted_to BIGINT NOT NULL,
    -- The number of the last case that is counted in.
    last_case BIGINT NOT NULL,
    monitor TEXT NOT NULL
);

-- That more was reported than usual. No touchpoint is all touchpoints, no location all locations.
CREATE TABLE unusual_reports (
    -- Made of the instant, the touchpoint and the location, so that two nodes that notice the same write it once.
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    touchpoint_id TEXT,
    location_id TEXT,
    -- burst or persistent.
    sign TEXT NOT NULL,
    -- Over how long, in seconds before the instant.
    seconds BIGINT NOT NULL,
    observed BIGINT NOT NULL,
    expected DOUBLE PRECISION NOT NULL,
    chance_per_week DOUBLE PRECISION NOT NULL
);
CREATE INDEX unusual_reports_by_time ON unusual_reports (at);
