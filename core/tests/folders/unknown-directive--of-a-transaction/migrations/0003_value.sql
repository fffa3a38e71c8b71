-- dunlin: no-transaction please
CREATE INDEX CONCURRENTLY i ON t (a);
VACUUM t;
