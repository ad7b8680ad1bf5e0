-- From a message to the answer that it carries.
CREATE INDEX case_answers_by_send ON case_answers (send_id) WHERE send_id IS NOT NULL;
-- The title that Muster wrote last: while the report has it, it follows the facts; another is a person's and stays.
-- Reports from before keep what they are called.
ALTER TABLE reviews ADD COLUMN generated_title TEXT;
