INSERT INTO public.migrations (name) VALUES ('x');
UPDATE Migrations SET name = 'y';
DELETE FROM ONLY "migrations" WHERE name = 'z';
TRUNCATE TABLE t, migrations;
LOCK migrations;
COPY migrations (id) FROM '/tmp/x';
