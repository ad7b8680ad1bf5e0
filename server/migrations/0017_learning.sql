-- What kind of alert it is (service and class, or service and words without their values), and who ended it: a sender or a
-- person. Learned from it is which alerts clear by themselves.
ALTER TABLE alerts ADD COLUMN kind BIGINT;
ALTER TABLE alerts ADD COLUMN ended_by TEXT;
CREATE INDEX alerts_by_kind ON alerts (kind, resolved_at);

-- What people taught by putting incidents together and taking alerts apart. A lesson taken back stays as a record; its pairs go.
CREATE TABLE grouping_lessons (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    -- together or apart.
    verdict TEXT NOT NULL,
    incident_id TEXT NOT NULL REFERENCES incidents (id),
    -- Where it came from: the incident that was merged, or that lost the alert.
    from_incident_id TEXT NOT NULL REFERENCES incidents (id),
    alert_id TEXT,
    said_by TEXT,
    taken_back_at BIGINT
);
CREATE INDEX grouping_lessons_by_incident ON grouping_lessons (incident_id);
CREATE INDEX grouping_lessons_by_alert ON grouping_lessons (alert_id) WHERE alert_id IS NOT NULL;

-- Kinds of alerts, the smaller number first.
CREATE TABLE grouping_lesson_pairs (
    lesson_id TEXT NOT NULL REFERENCES grouping_lessons (id),
    verdict TEXT NOT NULL,
    one BIGINT NOT NULL,
    other BIGINT NOT NULL,
    PRIMARY KEY (lesson_id, one, other)
);
CREATE INDEX grouping_lesson_pairs_by_one ON grouping_lesson_pairs (one);
CREATE INDEX grouping_lesson_pairs_by_other ON grouping_lesson_pairs (other);
