-- Forms of the console that were sent, for as long as somebody may press twice, and where each led to.
CREATE TABLE forms_sent (
    fingerprint TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    led_to TEXT
);
CREATE INDEX forms_sent_by_time ON forms_sent (at);
