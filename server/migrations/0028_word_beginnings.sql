-- The beginnings that people type first are kept as words of their own: "card" is found among a million
-- cases that say "card" or "cards" without gathering them all.
-- sqlite:
CREATE VIRTUAL TABLE case_words_by_beginning USING fts5 (words, prefix = '2 3 4');
INSERT INTO case_words_by_beginning (rowid, words) SELECT rowid, words FROM case_words;
DROP TABLE case_words;
ALTER TABLE case_words_by_beginning RENAME TO case_words;
-- both:
