-- What a service does with its events before they become alerts. `version` grows with every change of the rules.
CREATE TABLE service_orchestrations (
    service_id TEXT PRIMARY KEY REFERENCES services (id),
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    rules JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT
);

-- What the rules asked for when the alert came, for its incident may open later.
ALTER TABLE alerts ADD COLUMN ruling JSONB;

-- By what a rule keeps an open alert from an incident: suppressed or suspended. A silence of its service is none of these.
ALTER TABLE open_alerts ADD COLUMN held TEXT;
CREATE INDEX open_alerts_held ON open_alerts (alert_id) WHERE held IS NOT NULL;
