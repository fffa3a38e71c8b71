-- dunlin: syntax off
CREATE INDEX CONCURRENTLY i ON a (id) OF THE FUTURE;
