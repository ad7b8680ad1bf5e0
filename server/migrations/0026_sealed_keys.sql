-- A sender's key is found by its hash, and kept sealed for being shown. What was stored before has no hash yet: it is
-- hashed and sealed at the next start, by app/sealing.rs, before the first event is taken.
ALTER TABLE integrations ADD COLUMN key_hash TEXT;
CREATE UNIQUE INDEX integrations_by_key_hash ON integrations (key_hash);

-- Few messages have a link that is still needed; those that are not sealed yet are found by it.
CREATE INDEX sends_with_link ON sends (id) WHERE secret_link IS NOT NULL;
