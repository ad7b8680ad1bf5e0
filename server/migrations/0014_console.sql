-- What lists and bars say of an impact: the document without its long lists, and how many places came back
-- or are on their way.
ALTER TABLE incident_impacts ADD COLUMN brief JSONB;
ALTER TABLE incident_impacts ADD COLUMN sites_better BIGINT NOT NULL DEFAULT 0;
CREATE INDEX incident_impacts_recovering ON incident_impacts (incident_id) WHERE sites_better > 0;
