DROP TABLE a CREATE TABLE b (c int);
SELECT 1
FROM t
UPDATE t SET a = 1;
CREATE TABLE c (d int)

-- a comment between them
GRANT SELECT ON c TO bob;
