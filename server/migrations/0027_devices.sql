-- Which kind of device a push notification goes to.
ALTER TABLE contact_methods ADD COLUMN device_type TEXT;
