-- Which kinds of alerts bring about which, learned from the past once a day (incidents/causes.rs). Kinds as in alerts.kind.
CREATE TABLE alert_causes (
    cause BIGINT NOT NULL,
    effect BIGINT NOT NULL,
    -- Alerts that were put down to the cause; for each alert of the cause; and their part of all alerts of the effect.
    effects DOUBLE PRECISION NOT NULL,
    rate DOUBLE PRECISION NOT NULL,
    share DOUBLE PRECISION NOT NULL,
    -- Of the round that found it. What a later round does not find again goes.
    learned_at BIGINT NOT NULL,
    PRIMARY KEY (cause, effect)
);
CREATE INDEX alert_causes_by_effect ON alert_causes (effect);
