-- A long comment.

-- dunlin: no-transaction
/* more */
CREATE INDEX CONCURRENTLY i ON t (a);
CREATE INDEX CONCURRENTLY j ON t (b);
