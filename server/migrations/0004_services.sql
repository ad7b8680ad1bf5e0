CREATE TABLE services (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    escalation_policy_id TEXT NOT NULL REFERENCES escalation_policies (id),
    disabled BOOLEAN NOT NULL,
    -- Seconds; null means off.
    auto_resolve_timeout BIGINT,
    acknowledgement_timeout BIGINT,
    incident_urgency_rule JSONB NOT NULL,
    support_hours JSONB,
    scheduled_actions JSONB NOT NULL,
    alert_grouping JSONB NOT NULL,
    auto_pause JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    last_incident_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX services_by_name ON services (name) WHERE deleted_at IS NULL;
CREATE INDEX services_by_policy ON services (escalation_policy_id);

CREATE TABLE integrations (
    id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES services (id),
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    integration_key TEXT NOT NULL UNIQUE,
    vendor_id TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX integrations_by_service ON integrations (service_id);

-- A touchpoint that customers know. The harm weight (0 to 100) says how much its loss hurts;
-- loss_per_hour is in minor units of the currency.
CREATE TABLE business_services (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    point_of_contact TEXT,
    team_id TEXT REFERENCES teams (id),
    harm_weight BIGINT NOT NULL,
    loss_per_hour BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- Words customers use when it fails, what staff do instead, what they say.
    customer_words TEXT,
    fallback TEXT,
    words_to_say TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE TABLE service_dependencies (
    id TEXT PRIMARY KEY,
    supporting_type TEXT NOT NULL,
    supporting_id TEXT NOT NULL,
    dependent_type TEXT NOT NULL,
    dependent_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (supporting_id, dependent_id)
);
CREATE INDEX service_dependencies_by_dependent ON service_dependencies (dependent_id);

CREATE TABLE priorities (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    position BIGINT NOT NULL,
    color TEXT NOT NULL
);

CREATE TABLE maintenance_windows (
    id TEXT PRIMARY KEY,
    sequence_number BIGINT NOT NULL,
    description TEXT,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX maintenance_windows_by_end ON maintenance_windows (end_at);

CREATE TABLE maintenance_window_services (
    maintenance_window_id TEXT NOT NULL REFERENCES maintenance_windows (id),
    service_id TEXT NOT NULL REFERENCES services (id),
    PRIMARY KEY (maintenance_window_id, service_id)
);
CREATE INDEX maintenance_window_services_by_service ON maintenance_window_services (service_id);

-- The ladder everybody starts with. Identifiers and colours are the same in every Muster.
INSERT INTO priorities (id, name, description, position, color) VALUES
    ('QP1000000000P1', 'P1', 'Everyone is hurt: drop everything', 1, 'a8171c'),
    ('QP2000000000P2', 'P2', 'Many are hurt, or a few badly', 2, 'd9480f'),
    ('QP3000000000P3', 'P3', 'Some are hurt and can go on', 3, 'b58105'),
    ('QP4000000000P4', 'P4', 'Few notice', 4, '2f6f4f'),
    ('QP5000000000P5', 'P5', 'Nobody notices yet', 5, '4a5568');
