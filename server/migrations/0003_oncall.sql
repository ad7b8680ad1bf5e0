CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    time_zone TEXT NOT NULL,
    -- The schedule crate's model as last edited: layers, lowest first.
    definition JSONB NOT NULL,
    calendar_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX schedules_by_name ON schedules (name) WHERE deleted_at IS NULL;

-- Immutable versions: what was in force from an instant on; history never changes.
CREATE TABLE schedule_versions (
    schedule_id TEXT NOT NULL REFERENCES schedules (id),
    effective_from BIGINT NOT NULL,
    definition JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT,
    PRIMARY KEY (schedule_id, effective_from)
);

CREATE TABLE schedule_teams (
    schedule_id TEXT NOT NULL REFERENCES schedules (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (schedule_id, team_id)
);

CREATE TABLE schedule_overrides (
    id TEXT PRIMARY KEY,
    schedule_id TEXT NOT NULL REFERENCES schedules (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT
);
CREATE INDEX schedule_overrides_by_span ON schedule_overrides (schedule_id, end_at);

CREATE TABLE escalation_policies (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    num_loops BIGINT NOT NULL,
    on_call_handoff_notifications TEXT NOT NULL,
    -- The rules in order, each with its delay, strategy and targets: read and written whole,
    -- and copied onto an incident when its escalation starts.
    rules JSONB NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX escalation_policies_by_name ON escalation_policies (name) WHERE deleted_at IS NULL;

CREATE TABLE escalation_policy_teams (
    escalation_policy_id TEXT NOT NULL REFERENCES escalation_policies (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (escalation_policy_id, team_id)
);

-- Whom a policy can reach, kept beside the rules so that "who uses this schedule" is a look-up.
CREATE TABLE escalation_targets (
    escalation_policy_id TEXT NOT NULL REFERENCES escalation_policies (id),
    rule_position BIGINT NOT NULL,
    target_position BIGINT NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    PRIMARY KEY (escalation_policy_id, rule_position, target_position)
);
CREATE INDEX escalation_targets_by_target ON escalation_targets (target_type, target_id);
