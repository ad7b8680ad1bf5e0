-- The zone of the times that posted words name: a story tells all its times in it. Of what was posted before, the page's is taken.
ALTER TABLE status_page_updates ADD COLUMN time_zone TEXT;
