CREATE TABLE bird.migrations (id int);
CREATE TEMP TABLE migrations (id int);
CREATE TABLE "Migrations" (id int);
INSERT INTO bird.migrations VALUES (1);
SELECT * FROM migrations FOR UPDATE OF migrations;
INSERT INTO t SELECT * FROM migrations ON CONFLICT (id) DO UPDATE SET id = 1;
COPY migrations TO '/tmp/x';
CREATE VIEW v AS SELECT name FROM migrations;
GRANT SELECT ON migrations TO reader;
