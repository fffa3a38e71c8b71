-- Partitions, policies, replication, foreign data, text search, statistics, privileges, comments and labels.

CREATE TABLE app.events (
    tenant_id   bigint NOT NULL,
    id          bigint GENERATED ALWAYS AS IDENTITY (START WITH 1000 INCREMENT BY 10 CACHE 50),
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind        app.event_kind NOT NULL,
    payload     jsonb NOT NULL DEFAULT jsonb_build_object('v', 1) CHECK (jsonb_typeof(payload) = 'object'),
    PRIMARY KEY (tenant_id, occurred_at, id)
) PARTITION BY RANGE (tenant_id, occurred_at);
CREATE TABLE app.events_2026_h1 PARTITION OF app.events
    FOR VALUES FROM (MINVALUE, '2026-01-01 00:00:00+00') TO (MAXVALUE, '2026-07-01 00:00:00+00'::timestamptz)
    PARTITION BY HASH (tenant_id);
CREATE TABLE app.events_2026_h1_0 PARTITION OF app.events_2026_h1 (payload DEFAULT '{}', CONSTRAINT small CHECK (length(payload::text) < 10000)) FOR VALUES WITH (modulus 2, remainder 0) WITH (fillfactor = 90);
ALTER TABLE ONLY app.events ATTACH PARTITION app.events_default DEFAULT;
ALTER TABLE app.events DETACH PARTITION app.events_2025 FINALIZE;
CREATE TABLE regions PARTITION OF world FOR VALUES IN (('eu' || '-west'), lower('US'), NULL);
CREATE TABLE prices PARTITION OF all_prices FOR VALUES FROM (current_date - 10) TO (current_date + interval '1 day');
CREATE TABLE t_expr (a text, b int) PARTITION BY LIST ((a || b::text) COLLATE "C" text_ops);
CREATE INDEX ON ONLY app.events (kind) INCLUDE (payload) WHERE kind <> ALL ('{a,b}'::app.event_kind[]);
ALTER INDEX app.events_kind_idx ATTACH PARTITION app.events_2026_h1_kind_idx;
ALTER TABLE events_2026 NO INHERIT events, ADD CONSTRAINT y2026 CHECK (occurred_at >= DATE '2026-01-01' AND occurred_at < DATE '2027-01-01') NO INHERIT NOT VALID;
ALTER TABLE app.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY documents_owner ON app.documents
    FOR SELECT TO authenticated, CURRENT_ROLE
    USING ((owner_id = (SELECT auth.uid())) OR EXISTS (SELECT FROM app.shares s WHERE s.document_id = documents.id AND s.user_id = auth.uid() AND s.expires_at > now()));
CREATE POLICY documents_insert ON app.documents AS PERMISSIVE FOR INSERT WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
ALTER POLICY documents_owner ON app.documents TO PUBLIC USING (true) WITH CHECK (owner_id = auth.uid());
DROP POLICY IF EXISTS documents_owner ON app.documents CASCADE;
ALTER TABLE app.documents NO FORCE ROW LEVEL SECURITY;
CREATE PUBLICATION insert_only FOR TABLE mydata, ONLY app.other WITH (publish = 'insert', publish_via_partition_root = true);
CREATE PUBLICATION all_tables FOR ALL TABLES WITH (publish = 'insert, update, delete, truncate');
-- @15
CREATE PUBLICATION part FOR TABLE users (id, email) WHERE (active IS TRUE AND id > 100), TABLES IN SCHEMA app, CURRENT_SCHEMA;
-- @15
ALTER PUBLICATION part ADD TABLES IN SCHEMA marketing, sales, TABLE t1, t2 WHERE (a < 5);
-- @15
ALTER PUBLICATION part SET TABLE users (user_id, firstname), departments;
-- @15
ALTER PUBLICATION part DROP TABLES IN SCHEMA marketing;
ALTER PUBLICATION part RENAME TO many;
ALTER PUBLICATION many OWNER TO CURRENT_USER;
-- @18
CREATE PUBLICATION gen FOR TABLE g WITH (publish_generated_columns = stored);
CREATE SUBSCRIPTION mysub CONNECTION 'host=192.168.1.50 port=5432 user=foo dbname=foodb' PUBLICATION mypublication, insert_only WITH (enabled = false, slot_name = NONE, connect = false, streaming = on);
ALTER SUBSCRIPTION mysub SET PUBLICATION insert_only WITH (refresh = false);
ALTER SUBSCRIPTION mysub DISABLE;
ALTER SUBSCRIPTION mysub SET (slot_name = NONE);
-- @15
ALTER SUBSCRIPTION mysub SKIP (lsn = '0/14C0378');
ALTER SUBSCRIPTION mysub REFRESH PUBLICATION WITH (copy_data = off);
DROP SUBSCRIPTION IF EXISTS mysub;
CREATE EXTENSION postgres_fdw SCHEMA public;
CREATE FOREIGN DATA WRAPPER mywrapper NO HANDLER NO VALIDATOR OPTIONS (debug 'true');
ALTER FOREIGN DATA WRAPPER dbi OPTIONS (ADD foo '1', DROP bar, SET baz 'x');
ALTER FOREIGN DATA WRAPPER dbi VALIDATOR bob.myvalidator;
CREATE SERVER IF NOT EXISTS remote TYPE 'oracle' VERSION '8.1' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '10.0.0.1', port '5432', "dbname" 'x', fetch_size '10000', use_remote_estimate 'true');
ALTER SERVER remote VERSION '8.4' OPTIONS (SET host 'baz', DROP port);
CREATE USER MAPPING IF NOT EXISTS FOR PUBLIC SERVER remote OPTIONS (user 'bob', password 'secret');
ALTER USER MAPPING FOR "Bob Smith" SERVER remote OPTIONS (SET password 'public', DROP user);
DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER remote;
CREATE FOREIGN TABLE films (
    code        char(5) OPTIONS (column_name 'film_code') NOT NULL,
    title       varchar(40) OPTIONS (x '1') COLLATE "C" NOT NULL DEFAULT 'x' CHECK (title <> ''),
    len         interval hour to minute,
    CONSTRAINT c CHECK (code > 'a')
) INHERITS (base)
SERVER remote OPTIONS (schema_name 'public', table_name 'films');
CREATE FOREIGN TABLE measurement_y2016m07 PARTITION OF measurement FOR VALUES FROM ('2016-07-01') TO ('2016-08-01') SERVER server_07 OPTIONS (delimiter ',', quote '"');
ALTER FOREIGN TABLE IF EXISTS myschema.distributors ALTER COLUMN street SET NOT NULL, OPTIONS (ADD opt1 'value', SET opt2 'value2', DROP opt3);
ALTER FOREIGN TABLE films ALTER code OPTIONS (SET column_name 'c'), ADD COLUMN x int OPTIONS (column_name 'y') NOT NULL;
IMPORT FOREIGN SCHEMA "Public" EXCEPT (a, b) FROM SERVER remote INTO foreign_films OPTIONS (import_default 'true');
IMPORT FOREIGN SCHEMA public FROM SERVER remote INTO staging;
CREATE TEXT SEARCH DICTIONARY french_stem_no_stop (Template = snowball, Language = french, StopWords = 'french');
ALTER TEXT SEARCH DICTIONARY my_dict (StopWords = newrussian, dummy);
ALTER TEXT SEARCH DICTIONARY my_dict (StopWords);
CREATE TEXT SEARCH CONFIGURATION public.fr (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION fr ADD MAPPING FOR word, asciiword WITH unaccent, pg_catalog.french_stem;
ALTER TEXT SEARCH CONFIGURATION fr ALTER MAPPING REPLACE english WITH swedish;
ALTER TEXT SEARCH CONFIGURATION fr ALTER MAPPING FOR hword REPLACE a.english WITH b.swedish;
ALTER TEXT SEARCH CONFIGURATION fr DROP MAPPING IF EXISTS FOR email, url, sfloat;
CREATE TEXT SEARCH PARSER my_parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE thesaurus (INIT = thesaurus_init, LEXIZE = thesaurus_lexize);
ALTER TEXT SEARCH TEMPLATE thesaurus SET SCHEMA other;
DROP TEXT SEARCH CONFIGURATION IF EXISTS fr, en CASCADE;
CREATE INDEX documents_fts ON documents USING gin (setweight(to_tsvector('english', coalesce(title, '')), 'A') tsvector_ops, (to_tsvector('simple'::regconfig, body)));
SELECT ts_headline('english', body, q, 'StartSel=<b>, StopSel=</b>'), ts_rank_cd(search, q, 32 /* rank/(rank+1) */) AS rank FROM documents, websearch_to_tsquery('english', 'a "b c" -d') q WHERE search @@ q AND search @@ to_tsquery('english', 'fat & !rat:ab*') ORDER BY rank DESC;
-- @16
CREATE STATISTICS ON a, b FROM t;
CREATE STATISTICS IF NOT EXISTS app.s1 (ndistinct, dependencies) ON lower(name), (a % 2), c FROM ONLY app.t;
CREATE STATISTICS s3 ON date_trunc('month', a), date_trunc('day', a) FROM t3;
ALTER STATISTICS s1 SET STATISTICS -1;
-- @17
ALTER STATISTICS s1 SET STATISTICS DEFAULT;
ALTER STATISTICS app.s1 SET SCHEMA public;
COMMENT ON STATISTICS app.s1 IS 'Improves row estimates';
DROP STATISTICS IF EXISTS value_stats, app.s1;
GRANT ALL ON TABLE a, app.b TO GROUP staff, PUBLIC;
GRANT SELECT, REFERENCES (id), UPDATE (a, b) ON t TO "role with space" GRANTED BY CURRENT_ROLE;
GRANT CREATE, CONNECT, TEMPORARY ON DATABASE app, "other-db" TO bob WITH GRANT OPTION;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO bob;
GRANT USAGE ON FOREIGN SERVER a, b TO bob;
GRANT USAGE ON LANGUAGE plpgsql, plpython3u TO bob;
GRANT SELECT, UPDATE ON LARGE OBJECT 123, 456 TO bob;
GRANT CREATE ON TABLESPACE fast TO bob;
GRANT USAGE ON TYPE app.mood, int4, "Order" TO bob;
GRANT USAGE ON DOMAIN app.email TO bob;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA app, PUBLIC_x TO bob;
GRANT EXECUTE ON ROUTINE f(int, VARIADIC text[]), g TO bob;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA app TO SESSION_USER;
REVOKE GRANT OPTION FOR ALL PRIVILEGES ON ALL FUNCTIONS IN SCHEMA app FROM bob, CURRENT_USER CASCADE;
REVOKE ADMIN OPTION FOR staff, admins FROM bob GRANTED BY alice RESTRICT;
REVOKE ALL ON PROCEDURE p(int) FROM PUBLIC;
REVOKE TRUNCATE, TRIGGER ON t FROM bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA a, b FOR USER x, y GRANT ALL ON SEQUENCES TO z WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER REVOKE GRANT OPTION FOR USAGE ON TYPES FROM PUBLIC RESTRICT;
ALTER DEFAULT PRIVILEGES GRANT USAGE, CREATE ON SCHEMAS TO bob;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON ROUTINES TO bob;
-- @18
ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO bob;
COMMENT ON ACCESS METHOD gin IS 'GIN index access method';
COMMENT ON AGGREGATE my_aggregate (double precision, integer ORDER BY VARIADIC "any") IS 'x';
COMMENT ON AGGREGATE count_all(*) IS 'x';
COMMENT ON CAST (text AS int4) IS 'Allow casts from text to int4';
COMMENT ON COLLATION "fr_CA" IS 'Canadian French';
COMMENT ON COLUMN public.t."order" IS U&'\00e9';
COMMENT ON CONSTRAINT dom_col_constr ON DOMAIN app.dom IS 'Constrains col of domain';
COMMENT ON CONVERSION my_conv IS 'Conversion to UTF8';
COMMENT ON DATABASE "my-db" IS 'Development Database';
COMMENT ON DOMAIN my_domain IS 'Email Address Domain';
COMMENT ON EVENT TRIGGER abort_ddl IS 'Aborts all DDL commands';
COMMENT ON EXTENSION hstore IS 'implements the hstore data type';
COMMENT ON FOREIGN DATA WRAPPER mywrapper IS 'my foreign data wrapper';
COMMENT ON FOREIGN TABLE my_foreign_table IS 'Employee Information in other database';
COMMENT ON FUNCTION app.f(a int, OUT text, VARIADIC numeric[]) IS 'x';
COMMENT ON INDEX app.my_index IS 'Enforces uniqueness on employee ID';
COMMENT ON LANGUAGE plpython3u IS 'Python support for stored procedures';
COMMENT ON PROCEDURAL LANGUAGE plpgsql IS NULL;
COMMENT ON LARGE OBJECT 346344 IS 'Planning document';
COMMENT ON MATERIALIZED VIEW my_matview IS 'Summary of order history';
COMMENT ON OPERATOR ^ (text, text) IS 'Performs intersection of two texts';
COMMENT ON OPERATOR public.- (NONE, integer) IS 'Unary minus';
COMMENT ON OPERATOR CLASS int4ops USING btree IS '4 byte integer operators for btrees';
COMMENT ON OPERATOR FAMILY integer_ops USING btree IS 'all integer operators for btrees';
COMMENT ON POLICY my_policy ON app.mytable IS 'Filter rows by users';
COMMENT ON PROCEDURE my_proc (integer, integer) IS 'Runs a report';
COMMENT ON PUBLICATION alltables IS 'Publishes all operations on all tables';
COMMENT ON ROLE my_role IS 'Administration group for finance tables';
COMMENT ON ROUTINE my_routine (integer, integer) IS 'Runs a routine (which is a function or procedure)';
COMMENT ON RULE my_rule ON my_table IS 'Logs updates of employee records';
COMMENT ON SCHEMA my_schema IS $$Departmental data$$;
COMMENT ON SEQUENCE my_sequence IS E'Used to generate\nprimary keys';
COMMENT ON SERVER myserver IS 'my foreign server';
COMMENT ON SUBSCRIPTION alltables IS 'x';
COMMENT ON TABLESPACE my_tablespace IS 'Tablespace for indexes';
COMMENT ON TEXT SEARCH CONFIGURATION my_config IS 'Special word filtering';
COMMENT ON TEXT SEARCH DICTIONARY swedish IS 'Snowball stemmer for Swedish language';
COMMENT ON TEXT SEARCH PARSER my_parser IS 'Splits text into words';
COMMENT ON TEXT SEARCH TEMPLATE snowball IS 'Snowball stemmer';
COMMENT ON TRANSFORM FOR hstore LANGUAGE plpython3u IS 'Transform between hstore and Python dict';
COMMENT ON TRIGGER my_trigger ON my_table IS 'Used for RI';
COMMENT ON TYPE complex IS 'Complex number data type';
COMMENT ON TYPE double precision IS 'x';
COMMENT ON VIEW my_view IS 'View of departmental costs';
SECURITY LABEL ON COLUMN t.c IS NULL;
SECURITY LABEL FOR 'my provider' ON FUNCTION f(int) IS 'x';
SECURITY LABEL ON ROLE bob IS 'x';
SECURITY LABEL FOR anon ON COLUMN users.email IS 'MASKED WITH FUNCTION anon.fake_email()';
SECURITY LABEL ON MATERIALIZED VIEW v IS 'x';
SECURITY LABEL ON LARGE OBJECT 1 IS 'x';
SECURITY LABEL ON EVENT TRIGGER e IS 'x';
