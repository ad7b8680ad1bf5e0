-- Ends that found nothing open while events were kept apart: what came before under the same key is over, and is not
-- taken any more by itself.
CREATE TABLE ends_of_passed_over (
    integration_id TEXT NOT NULL,
    alert_key TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (integration_id, alert_key)
);
CREATE INDEX signals_passed_over_by_time ON signals_passed_over (at, node, sequence);

-- Up to when published words have been looked at for a page. Those after it come late through no fault of theirs.
ALTER TABLE status_pages ADD COLUMN words_read_to BIGINT;
