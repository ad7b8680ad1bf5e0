-- How many pages somebody has on their way, asked for each new one.
CREATE INDEX sends_on_their_way ON sends (user_id) WHERE state IN ('owed', 'sending') AND purpose = 'page';
