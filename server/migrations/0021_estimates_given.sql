-- An estimate that readers were given is chased beside the promise of the next word, whose time stays as it was said.
-- latest is what they were told; ends_at is when it says nothing any more.
ALTER TABLE promises ADD COLUMN estimate_latest BIGINT;
ALTER TABLE promises ADD COLUMN estimate_ends_at BIGINT;
ALTER TABLE promises ADD COLUMN estimate_reminders BIGINT NOT NULL DEFAULT 0;

UPDATE promises SET due_at = (SELECT next_update_by FROM updates WHERE updates.id = promises.update_id)
WHERE due_because = 'estimate' AND ended_at IS NULL
  AND EXISTS (SELECT 1 FROM updates WHERE updates.id = promises.update_id AND next_update_by IS NOT NULL);
ALTER TABLE promises DROP COLUMN due_because;
