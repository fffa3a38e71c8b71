-- Indexes, views, triggers, rules and policies.

CREATE UNIQUE INDEX title_idx ON films (title);
CREATE UNIQUE INDEX title_idx ON films (title) INCLUDE (director, rating);
CREATE INDEX title_idx ON films (title) WITH (deduplicate_items = off);
CREATE INDEX ON films ((lower(title)));
CREATE INDEX title_idx_german ON films (title COLLATE "de_DE" text_pattern_ops DESC NULLS LAST);
CREATE UNIQUE INDEX title_idx ON films (title) WITH (fillfactor = 70) TABLESPACE indexspace WHERE deleted_at IS NULL AND kind IN ('a', 'b');
CREATE INDEX gin_idx ON documents_table USING GIN (locations jsonb_path_ops, (data -> 'tags')) WITH (fastupdate = off);
CREATE INDEX pointloc ON points USING gist (box(location,location));
CREATE INDEX CONCURRENTLY IF NOT EXISTS sales_quantity_index ON sales_table (quantity, (amount * -1), coalesce(a, b), md5(x::text) varchar_pattern_ops);
CREATE INDEX ON public.users USING btree (lower((email)::text) COLLATE "C", ((settings ->> 'a'::text)::int) ASC);
CREATE INDEX trgm ON users USING gin (name public.gin_trgm_ops, (first || ' ' || last) gist_trgm_ops(siglen=32));
CREATE INDEX brin ON logs USING brin (created_at) WITH (pages_per_range = 32, autosummarize);
DROP INDEX CONCURRENTLY IF EXISTS title_idx;
REINDEX TABLE CONCURRENTLY my_broken_table;
REINDEX (VERBOSE, TABLESPACE fast) INDEX my_index;
ALTER INDEX distributors SET (fillfactor = 75);
ALTER INDEX coord_idx ALTER COLUMN 3 SET STATISTICS 1000;
ALTER INDEX measurement_usls_idx ATTACH PARTITION measurement_usls_200602_idx;
CREATE OR REPLACE VIEW comedies AS SELECT * FROM films WHERE kind = 'Comedy';
CREATE VIEW vista AS SELECT text 'Hello World' AS hello;
CREATE VIEW pg_comedies (title, "Genre") WITH (security_barrier) AS
    SELECT f.title, country_code_to_name(f.country_code)
    FROM films f
    WHERE f.kind = 'Comedy'
    WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW public.nums_1_100 (n) AS
    VALUES (1)
UNION ALL
    SELECT n+1 FROM nums_1_100 WHERE n < 100;
CREATE MATERIALIZED VIEW IF NOT EXISTS sales AS
  SELECT seller_no, invoice_date, sum(invoice_amt)::numeric(13,2) AS sales_amt
  FROM invoice GROUP BY seller_no, invoice_date ORDER BY 1 DESC NULLS LAST, 2
  WITH NO DATA;
CREATE MATERIALIZED VIEW v AS SELECT * FROM generate_series(1, 10) WITH NO DATA;
CREATE MATERIALIZED VIEW v AS SELECT * FROM generate_series(1, 10) WITH DATA;
CREATE TABLE x AS SELECT * FROM f() WITH NO DATA;
REFRESH MATERIALIZED VIEW CONCURRENTLY order_summary;
CREATE TRIGGER check_update BEFORE UPDATE OF balance ON accounts FOR EACH ROW WHEN (OLD.balance IS DISTINCT FROM NEW.balance) EXECUTE FUNCTION check_account_update();
CREATE TRIGGER log_update AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE PROCEDURE log_account_update('a', 1, x);
CREATE TRIGGER paired_items_update AFTER UPDATE ON paired_items REFERENCING NEW TABLE AS newtab OLD TABLE AS oldtab FOR EACH ROW EXECUTE FUNCTION check_matching_pairs();
CREATE TRIGGER view_insert INSTEAD OF INSERT ON my_view FOR EACH ROW EXECUTE FUNCTION view_insert_row();
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
CREATE OR REPLACE TRIGGER t AFTER TRUNCATE ON a EXECUTE FUNCTION f();
CREATE EVENT TRIGGER abort_ddl ON ddl_command_start WHEN TAG IN ('DROP TABLE', 'CREATE INDEX') EXECUTE FUNCTION abort_any_command();
DROP EVENT TRIGGER IF EXISTS a, b CASCADE;
CREATE RULE "_RETURN" AS ON SELECT TO t1 DO INSTEAD SELECT * FROM t2;
CREATE RULE notify_me AS ON UPDATE TO mytable DO ALSO NOTIFY mytable;
CREATE OR REPLACE RULE r AS ON INSERT TO t WHERE NEW.a > 5 DO INSTEAD (INSERT INTO u VALUES (NEW.*); UPDATE c SET n = n + 1; DELETE FROM d WHERE id = NEW.id);
CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE POLICY tenant ON accounts AS RESTRICTIVE FOR ALL TO app, "Web User" USING (tenant_id = current_setting('app.tenant', true)::uuid) WITH CHECK (tenant_id = (SELECT id FROM tenants WHERE name = CURRENT_USER));
ALTER POLICY p ON t RENAME TO q;
GRANT INSERT, SELECT (a, b), UPDATE (a) ON films TO PUBLIC, "Bob" WITH GRANT OPTION;
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public, app TO manuel;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app;
GRANT EXECUTE ON FUNCTION f(int, text), app.g(), "h" TO alice;
GRANT admins TO joe WITH ADMIN OPTION;
REVOKE admin FROM joe;
REVOKE GRANT OPTION FOR SELECT ON films FROM PUBLIC CASCADE;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE admin IN SCHEMA myschema GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE ROLE jonathan LOGIN PASSWORD 'jw8s0F4' VALID UNTIL '2005-01-01' CONNECTION LIMIT -1 IN ROLE a, b;
CREATE USER davide WITH NOSUPERUSER INHERIT NOCREATEDB;
ALTER ROLE worker_bee SET maintenance_work_mem = 100000;
ALTER ROLE fred IN DATABASE devel SET client_min_messages TO DEBUG;
ALTER ROLE fred SET search_path TO app, public, "$user";
ALTER ROLE ALL SET TIME ZONE 'utc';
REASSIGN OWNED BY doomed_role TO successor_role;
DROP OWNED BY doomed_role CASCADE;
SECURITY LABEL FOR selinux ON TABLE mytable IS 'system_u:object_r:sepgsql_table_t:s0';
SET search_path TO my_schema, public;
SET LOCAL statement_timeout = '5s';
SET datestyle TO postgres, dmy;
SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE;
SET SESSION "app.user" = 'x';
SET NAMES 'UTF8';
SET role TO default;
RESET timezone;
SELECT set_config('log_statement_stats', 'off', false);
LOCK TABLE films IN SHARE ROW EXCLUSIVE MODE NOWAIT;
