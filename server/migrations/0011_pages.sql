-- A public (or private) page. version counts what was drawn; digest is that of the content last drawn.
CREATE TABLE status_pages (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    visibility TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX status_pages_by_slug ON status_pages (slug) WHERE deleted_at IS NULL;

-- What a page shows. A group is a component that others point at.
CREATE TABLE status_page_components (
    id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL REFERENCES status_pages (id),
    business_service_id TEXT REFERENCES business_services (id),
    name TEXT NOT NULL,
    description TEXT,
    is_group BOOLEAN NOT NULL,
    group_id TEXT REFERENCES status_page_components (id),
    position BIGINT NOT NULL,
    showcase BOOLEAN NOT NULL,
    only_show_if_degraded BOOLEAN NOT NULL,
    -- What a person says it is, over what is computed.
    override_status TEXT,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX status_page_components_by_page ON status_page_components (page_id, position);

-- Every change of a component, for its uptime.
CREATE TABLE status_page_changes (
    component_id TEXT NOT NULL REFERENCES status_page_components (id),
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (component_id, at)
);

-- An incident as the public knows it: made of published public words and nothing else.
CREATE TABLE status_page_incidents (
    id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL REFERENCES status_pages (id),
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    impact TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    monitoring_at BIGINT,
    resolved_at BIGINT,
    UNIQUE (page_id, incident_id)
);
CREATE INDEX status_page_incidents_by_time ON status_page_incidents (page_id, created_at);

CREATE TABLE status_page_updates (
    page_incident_id TEXT NOT NULL REFERENCES status_page_incidents (id),
    update_id TEXT NOT NULL REFERENCES updates (id),
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    next_update_by BIGINT,
    at BIGINT NOT NULL,
    affected JSONB NOT NULL,
    PRIMARY KEY (page_incident_id, update_id)
);

-- Readers who asked for mail. Until they confirm, an address is only somebody's word.
CREATE TABLE status_page_subscribers (
    id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL REFERENCES status_pages (id),
    email TEXT NOT NULL,
    state TEXT NOT NULL,
    confirm_token_hash TEXT,
    asked_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    UNIQUE (page_id, email)
);
CREATE INDEX status_page_subscribers_by_token ON status_page_subscribers (confirm_token_hash);

-- One way out in every mail; only the hash of it is kept.
CREATE TABLE status_page_ways_out (
    token_hash TEXT PRIMARY KEY,
    subscriber_id TEXT NOT NULL REFERENCES status_page_subscribers (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX status_page_ways_out_by_subscriber ON status_page_ways_out (subscriber_id);

-- What the staff of a location said about it.
CREATE TABLE location_reports (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL REFERENCES locations (id),
    said TEXT NOT NULL,
    said_by TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX location_reports_by_location ON location_reports (location_id, at);
