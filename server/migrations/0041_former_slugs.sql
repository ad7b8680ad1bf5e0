-- Addresses that pages had before: links that were mailed lead on to where a page is now. One that another page takes is
-- that page's.
CREATE TABLE status_page_former_slugs (
    slug TEXT PRIMARY KEY,
    page_id TEXT NOT NULL REFERENCES status_pages (id),
    left_at BIGINT NOT NULL
);
