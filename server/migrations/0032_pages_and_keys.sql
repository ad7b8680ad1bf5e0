-- Updates that were looked at for a page and are not for it, so that they are not looked at again. When the incident
-- or the page's components change, they are looked at anew.
CREATE TABLE status_page_passed (
    page_id TEXT NOT NULL REFERENCES status_pages (id),
    update_id TEXT NOT NULL REFERENCES updates (id),
    PRIMARY KEY (page_id, update_id)
);
CREATE INDEX status_page_passed_by_update ON status_page_passed (update_id);

-- The incident of the page under which the story goes on, where this one was merged into another.
ALTER TABLE status_page_incidents ADD COLUMN goes_on_in TEXT REFERENCES status_page_incidents (id);

-- Two open incidents of a service never have one key. Where two had, the older one keeps it.
UPDATE incidents SET incident_key = NULL
WHERE incident_key IS NOT NULL AND status <> 'resolved' AND EXISTS (
    SELECT 1 FROM incidents older
    WHERE older.service_id = incidents.service_id AND older.incident_key = incidents.incident_key
      AND older.status <> 'resolved' AND older.number < incidents.number);
CREATE UNIQUE INDEX incidents_open_by_key ON incidents (service_id, incident_key)
WHERE incident_key IS NOT NULL AND status <> 'resolved';

-- What is cleared away once it is old (see app/cleaning.rs).
CREATE INDEX status_page_ways_out_by_time ON status_page_ways_out (created_at);
CREATE INDEX sends_with_words_of_old ON sends (created_at) WHERE purpose = 'update' AND user_id IS NULL AND body <> '';
