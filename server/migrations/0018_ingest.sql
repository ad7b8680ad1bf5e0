-- The journal again, one row for what one commit accepted instead of one for each signal: a leaf. `sequence` is the
-- number of its last signal; `lines` holds the signals as JSON, one a line. A leaf goes when its signals have become
-- alerts.
CREATE TABLE journal (
    node BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    signals BIGINT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (node, sequence)
);
INSERT INTO journal (node, sequence, signals, lines)
    SELECT s.node, s.sequence, 1,
        '{"received_at":' || CAST(s.received_at AS TEXT) || ',"integration_id":"' || s.integration_id || '","service_id":"'
        || s.service_id || '","event":{"' || s.kind || '":' || s.body || '}}'
    FROM signals s
    WHERE s.sequence > COALESCE((SELECT c.sequence FROM signal_cursors c WHERE c.node = s.node), 0);
DROP TABLE signals;

-- Signals that were accepted and that could not be taken, kept for whoever looks into it.
CREATE TABLE signals_passed_over (
    node BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (node, sequence)
);

-- What is open under which key, apart from the words of the alert, because most events only say again what is known.
-- `words` tells whether they do.
CREATE TABLE open_alerts (
    integration_id TEXT NOT NULL,
    alert_key TEXT NOT NULL,
    alert_id TEXT NOT NULL UNIQUE REFERENCES alerts (id),
    event_count BIGINT NOT NULL,
    last_event_at BIGINT NOT NULL,
    words BIGINT NOT NULL,
    PRIMARY KEY (integration_id, alert_key)
);
INSERT INTO open_alerts (integration_id, alert_key, alert_id, event_count, last_event_at, words)
    SELECT integration_id, alert_key, id, event_count, last_event_at, 0 FROM alerts WHERE status = 'triggered';
DROP INDEX alerts_open_by_key;
CREATE INDEX alerts_open_by_incident ON alerts (incident_id, id) WHERE status = 'triggered';

-- Read only of alerts that are over.
DROP INDEX alerts_by_kind;
CREATE INDEX alerts_by_kind ON alerts (kind, resolved_at) WHERE resolved_at IS NOT NULL;

-- When each integration last reported something.
ALTER TABLE integrations ADD COLUMN heard_at BIGINT;
UPDATE integrations SET heard_at = (SELECT MAX(a.last_event_at) FROM alerts a WHERE a.integration_id = integrations.id);

-- Entries are found by their id, which follows the time; and by agent only when that is a person.
DROP INDEX timeline_by_time;
DROP INDEX timeline_by_agent;
CREATE INDEX timeline_by_user ON timeline_entries (agent_id, id) WHERE agent_type = 'user';
