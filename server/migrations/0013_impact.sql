-- Whom an incident hurts, as last computed. The revision rises when the document changes.
CREATE TABLE incident_impacts (
    incident_id TEXT PRIMARY KEY REFERENCES incidents (id),
    revision BIGINT NOT NULL,
    document JSONB NOT NULL,
    computed_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- What people said about a touchpoint and an incident, over what follows from the graph.
CREATE TABLE impact_relations (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    business_service_id TEXT NOT NULL REFERENCES business_services (id),
    relation TEXT NOT NULL,
    said_by TEXT,
    said_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, business_service_id)
);
