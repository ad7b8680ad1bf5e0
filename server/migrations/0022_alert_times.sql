-- When an alert happened, as its sender says; and until when it counts unless its sender says it again.
ALTER TABLE alerts ADD COLUMN happened_at BIGINT;
ALTER TABLE open_alerts ADD COLUMN ends_at BIGINT;
