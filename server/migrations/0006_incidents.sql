-- The journal: what was accepted, in the order of the node that accepted it. One writer per node, so
-- the order of (node, sequence) is the order of commit.
CREATE TABLE signals (
    node BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    integration_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (node, sequence)
);

-- How far each node's journal has been turned into alerts and incidents, by whichever node did it.
CREATE TABLE signal_cursors (
    node BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL
);

CREATE TABLE change_events (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    service_id TEXT NOT NULL,
    integration_id TEXT NOT NULL,
    summary TEXT NOT NULL,
    source TEXT,
    links JSONB NOT NULL,
    images JSONB NOT NULL,
    custom_details JSONB NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX change_events_by_service ON change_events (service_id, at);
CREATE INDEX change_events_by_time ON change_events (at);

CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    urgency TEXT NOT NULL,
    -- Where it came from: event, person, case, drill.
    origin TEXT NOT NULL,
    incident_key TEXT,
    incident_type TEXT NOT NULL,
    body TEXT,
    service_id TEXT NOT NULL REFERENCES services (id),
    escalation_policy_id TEXT NOT NULL REFERENCES escalation_policies (id),
    priority_id TEXT REFERENCES priorities (id),
    assigned_via TEXT NOT NULL,
    -- The escalation as it runs: a frozen copy of the rules, the level (1-based) and loops done.
    escalation_rules JSONB NOT NULL,
    escalation_level BIGINT NOT NULL,
    escalation_loop BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    acknowledged_at BIGINT,
    resolved_at BIGINT,
    snoozed_until BIGINT,
    last_status_change_at BIGINT NOT NULL,
    last_status_change_by_type TEXT NOT NULL,
    last_status_change_by_id TEXT,
    last_alert_at BIGINT NOT NULL,
    merged_into_id TEXT REFERENCES incidents (id),
    conference_number TEXT,
    conference_url TEXT,
    -- Features the grouping decision looks at, kept with the incident so that it survives a restart.
    grouping JSONB NOT NULL
);
CREATE INDEX incidents_by_status ON incidents (status, id);
CREATE INDEX incidents_by_service ON incidents (service_id, status, id);
CREATE INDEX incidents_by_created ON incidents (created_at, id);
CREATE INDEX incidents_by_key ON incidents (incident_key) WHERE incident_key IS NOT NULL;

CREATE TABLE incident_assignments (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, user_id)
);
CREATE INDEX incident_assignments_by_user ON incident_assignments (user_id);

CREATE TABLE incident_acknowledgements (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    acknowledger_type TEXT NOT NULL,
    acknowledger_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, acknowledger_id)
);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    integration_id TEXT NOT NULL REFERENCES integrations (id),
    service_id TEXT NOT NULL REFERENCES services (id),
    incident_id TEXT REFERENCES incidents (id),
    alert_key TEXT NOT NULL,
    status TEXT NOT NULL,
    suppressed BOOLEAN NOT NULL,
    severity TEXT NOT NULL,
    summary TEXT NOT NULL,
    source TEXT NOT NULL,
    component TEXT,
    alert_group TEXT,
    class TEXT,
    client TEXT,
    client_url TEXT,
    custom_details JSONB NOT NULL,
    contexts JSONB NOT NULL,
    -- Names of fields that were shortened on the way in.
    truncated JSONB NOT NULL,
    -- Why it is in this incident: the reasons of the grouping decision.
    reasons JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    last_event_at BIGINT NOT NULL,
    resolved_at BIGINT,
    event_count BIGINT NOT NULL
);
CREATE UNIQUE INDEX alerts_open_by_key ON alerts (integration_id, alert_key) WHERE status = 'triggered';
CREATE INDEX alerts_by_incident ON alerts (incident_id, id);
CREATE INDEX alerts_by_service ON alerts (service_id, created_at);
CREATE INDEX alerts_by_key ON alerts (alert_key);

CREATE TABLE incident_notes (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    user_id TEXT,
    author_name TEXT NOT NULL,
    content TEXT NOT NULL,
    channel TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX incident_notes_by_incident ON incident_notes (incident_id, id);

CREATE TABLE responder_requests (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    requester_id TEXT,
    message TEXT NOT NULL,
    targets JSONB NOT NULL,
    requested_at BIGINT NOT NULL
);
CREATE INDEX responder_requests_by_incident ON responder_requests (incident_id);

CREATE TABLE incident_responders (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    state TEXT NOT NULL,
    requester_id TEXT,
    request_id TEXT,
    message TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, user_id)
);
CREATE INDEX incident_responders_by_user ON incident_responders (user_id, state);

CREATE TABLE incident_roles (
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    role TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (incident_id, role)
);

CREATE TABLE incident_tasks (
    id TEXT PRIMARY KEY,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL,
    assignee_id TEXT REFERENCES users (id),
    due_at BIGINT,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT
);
CREATE INDEX incident_tasks_by_incident ON incident_tasks (incident_id);
CREATE INDEX incident_tasks_by_assignee ON incident_tasks (assignee_id, status);
