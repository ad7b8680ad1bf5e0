-- What a customer reported, wherever it was reported.
CREATE TABLE cases (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    -- The sender's own number for it; the same one again is the same case.
    external_reference TEXT UNIQUE,
    -- Opens the reporter's own page. It gives no more than the page itself holds, so it is kept as it is
    -- and can be put into every answer.
    token TEXT NOT NULL UNIQUE,
    account_id TEXT REFERENCES accounts (id),
    reporter_name TEXT,
    reporter_email TEXT,
    reporter_telephone TEXT,
    location_id TEXT REFERENCES locations (id),
    touchpoint_id TEXT REFERENCES business_services (id),
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    language TEXT NOT NULL,
    status TEXT NOT NULL,
    owner_id TEXT REFERENCES users (id),
    incident_id TEXT REFERENCES incidents (id),
    linked_at BIGINT,
    -- Since when an answer is owed; null when none is.
    owed_since BIGINT,
    -- Where it stands among those owed an answer: the time, set back by what the customer is worth.
    owed_order BIGINT,
    -- Whether it works again for the reporter, as the reporter says.
    recovery TEXT NOT NULL,
    first_answer_due_at BIGINT NOT NULL,
    first_answered_at BIGINT,
    last_told_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX cases_by_created ON cases (created_at, id);
CREATE INDEX cases_by_account ON cases (account_id, id);
CREATE INDEX cases_by_location ON cases (location_id, id);
CREATE INDEX cases_by_touchpoint ON cases (touchpoint_id, id);
CREATE INDEX cases_by_incident ON cases (incident_id, id);
CREATE INDEX cases_by_status ON cases (status, id);
CREATE INDEX cases_owed ON cases (owed_order, id) WHERE owed_since IS NOT NULL;

-- The words of each case, by its number, to be found by.
-- sqlite:
CREATE VIRTUAL TABLE case_words USING fts5 (words);
-- postgres:
CREATE TABLE case_words (
    number BIGINT PRIMARY KEY,
    words TSVECTOR NOT NULL
);
CREATE INDEX case_words_by_words ON case_words USING gin (words);
-- both:

-- What was said about a case, by the reporter, to the reporter, and inside.
CREATE TABLE case_messages (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    direction TEXT NOT NULL,
    author_type TEXT NOT NULL,
    author_id TEXT,
    author_name TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX case_messages_by_case ON case_messages (case_id, id);

-- Answers as they are drafted, confirmed and sent. A case has at most one that is not yet given.
CREATE TABLE case_answers (
    id TEXT PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES cases (id),
    incident_id TEXT REFERENCES incidents (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The part that is the same for everybody, and the agent's own.
    common_part TEXT NOT NULL,
    personal_part TEXT,
    delivery TEXT,
    send_id TEXT,
    drafted_at BIGINT NOT NULL,
    confirmed_by TEXT REFERENCES users (id),
    confirmed_at BIGINT,
    told_at BIGINT
);
CREATE UNIQUE INDEX case_answers_open ON case_answers (case_id) WHERE state IN ('drafted', 'to_call');
CREATE INDEX case_answers_by_case ON case_answers (case_id, id);
CREATE INDEX case_answers_by_incident ON case_answers (incident_id, state, id);

-- An incident as agents and customers know it: the words that may be said now, and when more is promised.
CREATE TABLE known_issues (
    incident_id TEXT PRIMARY KEY REFERENCES incidents (id),
    -- Approved before they were stored.
    words_to_say TEXT NOT NULL,
    approved_by_name TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    facts_revision BIGINT NOT NULL,
    next_update_by BIGINT
);
