-- Open cases of one customer or one location, and which of them are owed an answer: of somebody with very many cases most are over.
CREATE INDEX cases_open_by_account ON cases (account_id, owed_since) WHERE status <> 'closed';
CREATE INDEX cases_open_by_location ON cases (location_id, owed_since) WHERE status <> 'closed';
