-- The incidents of one service, the newest first, without reading them all.
CREATE INDEX incidents_of_service ON incidents (service_id, id);
