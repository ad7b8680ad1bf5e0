-- Answers that no attempt brought to their reporter, for whoever looks for those to whom they are owed again.
CREATE INDEX sends_answers_failed ON sends (id) WHERE state = 'failed' AND purpose = 'answer';
