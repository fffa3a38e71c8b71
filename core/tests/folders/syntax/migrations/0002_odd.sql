-- Two mistakes in one statement are one message.
CREATE TABLE a (x int y int z int;
);
ALTER TABLE a ADD COLUMN AFTER b;
DROP TABLE;
SELECT count(*) FROM a WHERE;
SELECT /* 表😀 */ 'é', 1 +;
CREATE INDEX ON a (x) USING btree;
GRANT SELECT ON a TO;
