-- dunlin: no-transacton
CREATE INDEX CONCURRENTLY i ON t (a);
VACUUM t;
