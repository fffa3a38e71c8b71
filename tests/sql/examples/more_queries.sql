-- Routines, triggers, MERGE, JSON, windows, and more queries.

CREATE OR REPLACE PROCEDURE app.purge(batch int DEFAULT 1000, INOUT n bigint = 0)
    LANGUAGE plpgsql
    SECURITY INVOKER
    SET lock_timeout = '2s'
    SET search_path TO 'app', 'pg_temp'
AS $proc$
BEGIN
    LOOP
        DELETE FROM app.sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM app.sessions WHERE expires_at < now() LIMIT batch));
        EXIT WHEN NOT FOUND;
        COMMIT AND CHAIN;
    END LOOP;
    ROLLBACK;
END
$proc$;
CREATE PROCEDURE p(IN a int, OUT b int, VARIADIC c text[]) LANGUAGE sql AS 'SELECT 1' TRANSFORM FOR TYPE hstore;
CALL app.purge(batch => 500, n := 0);
CALL p(VARIADIC ARRAY['a', 'b']);
ALTER PROCEDURE app.purge(int, bigint) SECURITY DEFINER RESET ALL;
ALTER ROUTINE app.purge RENAME TO purge_all;
DROP PROCEDURE IF EXISTS app.purge(IN batch int, INOUT n bigint), q;
CREATE FUNCTION app.total(account bigint) RETURNS numeric
    STABLE PARALLEL SAFE STRICT
BEGIN ATOMIC
    WITH paid AS (SELECT sum(amount) AS s FROM payments WHERE account_id = account)
    SELECT CASE WHEN p.s IS NULL THEN 0 ELSE CASE WHEN p.s < 0 THEN -p.s ELSE p.s END END FROM paid p;
END;
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql BEGIN ATOMIC END;
CREATE FUNCTION one() RETURNS int BEGIN ATOMIC; SELECT 1;; END;
CREATE OR REPLACE FUNCTION f(IN "order" int, OUT left_side int, INOUT c text DEFAULT 'a' || 'b') RETURNS record LANGUAGE sql NOT LEAKPROOF CALLED ON NULL INPUT SUPPORT app.f_support AS $_$SELECT $1, $2$_$;
CREATE FUNCTION ret(int) RETURNS SETOF RECORD LANGUAGE sql ROWS 5 COST 0.5 WINDOW AS 'select 1';
CREATE FUNCTION arr(int[], text[][], VARIADIC int ARRAY[4]) RETURNS int ARRAY LANGUAGE sql RETURN ARRAY[1, 2];
CREATE FUNCTION exists_it(a int) RETURNS boolean LANGUAGE sql RETURN EXISTS (SELECT 1 FROM t WHERE t.a = exists_it.a);
CREATE FUNCTION trg() RETURNS TRIGGER AS $$ BEGIN RETURN NULL; END $$ LANGUAGE 'plpgsql' COST 100 VOLATILE NOT LEAKPROOF SECURITY DEFINER;
CREATE FUNCTION js(t text) RETURNS text AS $js$ return t.split("").reverse().join("") $js$ LANGUAGE plv8 IMMUTABLE STRICT;
CREATE FUNCTION tbl() RETURNS TABLE ("when" timestamptz, value double precision, n bigint, tags text[], kind app.kind, pct numeric(5,2)) LANGUAGE sql AS $$ SELECT 1 $$;
CREATE OR REPLACE AGGREGATE app.last(anyelement) (sfunc = app.last_agg, stype = anyelement, parallel = safe, combinefunc = app.last_agg, sspace = 32);
CREATE AGGREGATE mode_of (ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = mode_final, FINALFUNC_EXTRA, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE first(*) (sfunc = int8inc, stype = bigint);
CREATE AGGREGATE old_style (basetype = 'ANY', sfunc = int8inc, stype = bigint, initcond = '0', sortop = operator(pg_catalog.<));
ALTER AGGREGATE app.last(anyelement) OWNER TO joe;
ALTER AGGREGATE mypercentile(float8 ORDER BY integer) SET SCHEMA myschema;
DROP AGGREGATE IF EXISTS myavg(integer), count2(*), rank2(VARIADIC "any" ORDER BY VARIADIC "any") CASCADE;
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OF name, email OR DELETE ON ONLY_users REFERENCING OLD TABLE AS o NEW TABLE n FOR EACH STATEMENT EXECUTE FUNCTION app.audit('users', 1.5, on_change);
CREATE CONSTRAINT TRIGGER check_total AFTER INSERT OR UPDATE ON order_items FROM orders NOT DEFERRABLE FOR EACH ROW WHEN ((NEW.qty > 0) AND (NEW.* IS DISTINCT FROM ROW (1, 2))) EXECUTE PROCEDURE check_total();
ALTER TRIGGER audit ON users RENAME TO audit_users;
ALTER TRIGGER audit ON users DEPENDS ON EXTENSION hstore;
ALTER TRIGGER audit ON users NO DEPENDS ON EXTENSION hstore;
DROP TRIGGER IF EXISTS audit ON app.users RESTRICT;
ALTER TABLE users DISABLE TRIGGER USER, ENABLE ALWAYS TRIGGER audit, ENABLE REPLICA TRIGGER "b c";
CREATE EVENT TRIGGER on_ddl ON ddl_command_end WHEN tag IN ('CREATE TABLE') AND tag IN ('ALTER TABLE') EXECUTE PROCEDURE app.on_ddl();
ALTER EVENT TRIGGER on_ddl ENABLE REPLICA;
ALTER EVENT TRIGGER on_ddl DISABLE;
-- @15
WITH source (id, qty) AS (VALUES (1, 2), (3, 4))
MERGE INTO ONLY app.stock AS s USING source ON s.id = source.id AND NOT s.archived
WHEN MATCHED AND s.qty + source.qty <= 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET (qty, updated_at) = (s.qty + source.qty, DEFAULT), touched = DEFAULT
WHEN NOT MATCHED AND source.qty > 0 THEN INSERT (id, qty) OVERRIDING SYSTEM VALUE VALUES (source.id, DEFAULT)
WHEN NOT MATCHED THEN DO NOTHING;
-- @17
MERGE INTO wines w USING (SELECT * FROM wine_stock_changes WHERE delta <> 0) s ON s.winename = w.winename
WHEN NOT MATCHED BY TARGET THEN INSERT DEFAULT VALUES
WHEN NOT MATCHED BY SOURCE AND w.stock = 0 THEN DELETE
WHEN NOT MATCHED BY SOURCE THEN UPDATE SET stock = 0
WHEN MATCHED THEN DO NOTHING
RETURNING merge_action() AS action, w.*, s.delta;
-- @17
WITH m AS (MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE RETURNING merge_action(), t.id) INSERT INTO log SELECT * FROM m;
-- @18
UPDATE products SET price = price * 1.10 WHERE price <= 99.99 RETURNING name, old.price AS old_price, new.price AS new_price, new.price - old.price AS price_change;
-- @18
INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a RETURNING WITH (OLD AS o, NEW AS n) o.a, n.a, (o IS NULL) AS inserted, n.*;
-- @18
DELETE FROM t RETURNING old.*, new.id IS NULL;
-- @18
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b RETURNING merge_action(), WITH_x.*, old.b, new.b;
-- @16
SELECT JSON_OBJECT('a': 1, 'b' VALUE 2 ABSENT ON NULL WITH UNIQUE KEYS RETURNING jsonb), JSON_ARRAY(1, 2, NULL NULL ON NULL), JSON_ARRAY(SELECT a FROM t ORDER BY a RETURNING json), JSON_OBJECTAGG(k: v ABSENT ON NULL), JSON_ARRAYAGG(v ORDER BY v DESC NULL ON NULL RETURNING jsonb) FILTER (WHERE v > 1);
-- @16
SELECT a IS JSON, b IS NOT JSON OBJECT, c IS JSON ARRAY WITH UNIQUE KEYS, d IS JSON SCALAR WITHOUT UNIQUE FROM t;
-- @17
SELECT JSON_EXISTS(js, '$.a[*] ? (@ > $x)' PASSING 1 AS x ERROR ON ERROR), JSON_VALUE(js, 'strict $.a' RETURNING int DEFAULT 0 ON EMPTY DEFAULT -1 ON ERROR), JSON_QUERY(js, '$.b' RETURNING jsonb WITH CONDITIONAL ARRAY WRAPPER OMIT QUOTES NULL ON EMPTY EMPTY ARRAY ON ERROR), JSON('{"a":1}' WITH UNIQUE KEYS), JSON_SCALAR(1), JSON_SERIALIZE('{}' RETURNING bytea FORMAT JSON ENCODING UTF8) FROM t;
-- @17
SELECT jt.* FROM my_films, JSON_TABLE (js, '$.favorites[*]' AS fav PASSING 'x' AS filter
   COLUMNS (
    id FOR ORDINALITY,
    kind text PATH '$.kind' DEFAULT 'none' ON EMPTY ERROR ON ERROR,
    has_films boolean EXISTS PATH '$.films' FALSE ON ERROR,
    raw jsonb FORMAT JSON PATH '$' WITH UNCONDITIONAL WRAPPER KEEP QUOTES ON SCALAR STRING,
    NESTED PATH '$.films[*]' AS films COLUMNS (
      title text FORMAT JSON PATH '$.title' OMIT QUOTES,
      director text PATH '$.director' KEEP QUOTES,
      NESTED '$.actors[*]' COLUMNS (actor text PATH '$')))
   EMPTY ON ERROR) AS jt;
-- @16
CREATE VIEW json_view AS SELECT JSON_OBJECT(KEY 'a' VALUE b FORMAT JSON) AS j, json_build_object('a', 1) FROM t;
SELECT data -> 'a' ->> 0, data #> '{a,b}', data #>> '{a}', data ? 'k', data ?& ARRAY['a'], data @? '$.a', data @@ '$.a > 1', data - '{a,b}'::text[], data #- '{a}', data['a']['b'], (data).x FROM t;
UPDATE t SET data['a']['b'] = '1', data["key"] = to_jsonb(2) WHERE data['x'] = '"y"';
SELECT sum(x) OVER w1, avg(x) OVER (w1 ORDER BY y), count(*) OVER (PARTITION BY a, b ORDER BY c DESC NULLS LAST GROUPS BETWEEN 2 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP), first_value(x) OVER (ORDER BY d RANGE BETWEEN '1 day'::interval PRECEDING AND '10 days' FOLLOWING EXCLUDE CURRENT ROW), row_number() OVER (ROWS UNBOUNDED PRECEDING), nth_value(x, 2) OVER (ORDER BY a ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING EXCLUDE NO OTHERS)
FROM t WINDOW w1 AS (PARTITION BY a), w2 AS (w1 ORDER BY b), "W 3" AS (w2);
SELECT a, b, GROUPING(a, b), grouping(c), sum(v) FROM t GROUP BY DISTINCT GROUPING SETS (ROLLUP (a, b), CUBE ((a, b), c), GROUPING SETS ((a), ())), a HAVING GROUPING(a) = 0;
SELECT a FROM t GROUP BY ALL ROLLUP (a), ();
SELECT rank(5) WITHIN GROUP (ORDER BY a DESC NULLS FIRST), percentile_disc(ARRAY[0.25, 0.5]) WITHIN GROUP (ORDER BY b) FILTER (WHERE b > 0), count(DISTINCT a), count(ALL b), json_agg(r.* ORDER BY r.a), array_agg(VARIADIC x) FROM t;
WITH RECURSIVE tree (id, parent, path) AS (SELECT id, parent, ARRAY[id] FROM n WHERE parent IS NULL UNION ALL SELECT n.id, n.parent, tree.path || n.id FROM n JOIN tree ON n.parent = tree.id)
SEARCH DEPTH FIRST BY id, parent SET ordercol CYCLE id SET is_cycle TO 'Y' DEFAULT 'N' USING cycle_path SELECT * FROM tree ORDER BY ordercol;
WITH RECURSIVE g AS (SELECT 1 AS a UNION SELECT a + 1 FROM g) SEARCH BREADTH FIRST BY a SET seq CYCLE a SET c USING p TABLE g;
SELECT ALL a FROM t;
SELECT DISTINCT a, b FROM t ORDER BY 1 ASC NULLS LAST, 2 USING ~<~ LIMIT ALL OFFSET 10 ROWS;
SELECT * FROM t ORDER BY a FETCH NEXT ROW WITH TIES;
SELECT * FROM t ORDER BY a OFFSET 2 FETCH FIRST (1 + 2) ROWS ONLY FOR KEY SHARE OF t, u SKIP LOCKED FOR SHARE NOWAIT;
SELECT * FROM t, LATERAL f(t.a) WITH ORDINALITY AS x(a, n), LATERAL ROWS FROM (g(1), h(2)) AS y, LATERAL (VALUES (1, t.a)) v(a, b), u AS u2 TABLESAMPLE SYSTEM (0.1);
SELECT * FROM (t CROSS JOIN u) AS j, (SELECT 1) s, (TABLE t) AS x, (VALUES (1), (2)) AS y (a);
-- @16
SELECT * FROM (SELECT 1), (VALUES (1, 2)), (SELECT 3 UNION SELECT 4);
SELECT * FROM t1 LEFT OUTER JOIN t2 ON t1.a = t2.a AND t2.b IS NULL INNER JOIN t3 USING (a, b) AS merged NATURAL LEFT JOIN t4 FULL JOIN t5 ON (TRUE);
SELECT * FROM f() AS (a int, b text[], c app.x, d numeric(3, 1)), g() x (a int), LATERAL json_to_record('{}') AS r (a int, b text COLLATE "C");
SELECT * INTO TEMP backup FROM t;
SELECT a INTO UNLOGGED TABLE app.backup FROM t WHERE b;
SELECT a, (b).c, (b).*, (f(1)).d, (ARRAY[1, 2])[1], (SELECT array_agg(x) FROM t)[1:2], a[1][2], a[:], a[1:], a[:2], (row(1, 2)).f1, $1.x, ($1).y[3] FROM t;
SELECT (a, b) = (c, d), ROW (a, b) IS NOT DISTINCT FROM ROW (c, d), (a, b) IN (SELECT 1, 2), (a, b) < ALL (VALUES (1, 2)), a = ANY ('{1,2}'::int[]), a LIKE ANY (ARRAY['a%']), a NOT ILIKE ALL (SELECT b FROM t), NOT a = b, (a, b) OVERLAPS (c, interval '1 day'), ROW (), ROW (1), a IS NORMALIZED, a IS NOT NFKC NORMALIZED, a IS DOCUMENT, a NOT BETWEEN 1 AND 2 AND c, a NOT SIMILAR TO b ESCAPE '\', a COLLATE "x" < b FROM t;
SELECT current_date, current_time(3), localtimestamp, current_user, session_user, user, current_role, current_catalog, current_schema, current_timestamp(0) AT TIME ZONE 'UTC' AT TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE;
-- @17
SELECT now() AT LOCAL, current_schema();
SELECT CAST(a AS int[]), CAST('1' AS double precision), a::varchar(10)[], b::timestamp(3) without time zone, c::interval day to second(3), d::bit varying(5), e::national character varying(3), f::pg_catalog.int4[][], g::time with time zone, h::"My Type", i::app.t[3], int '1', float8 '1.5', app.t 'x', numeric(3,1) '2.5', interval(2) '1', character varying(3) 'abc', bit '101', json '{}', date('2020-01-01'), text(a), left(a, 1), char_length(b), "char" 'x' FROM t;
SELECT COALESCE(a, b, 0), GREATEST(1, 2), LEAST(a), NULLIF(a, ''), TREAT(a AS b), COLLATION FOR (a), OVERLAY(a PLACING b FROM 1), SUBSTRING(a FOR 2), SUBSTRING(a SIMILAR b ESCAPE c), SUBSTRING(a, 1, 2), TRIM(a), TRIM(TRAILING FROM a), TRIM(BOTH a, b), POSITION(a IN b), EXTRACT('year' FROM a), EXTRACT(isodow FROM a), NORMALIZE(a), NORMALIZE(a, NFKD), XMLCONCAT(a, b), XMLPI(NAME php, 'x'), XMLROOT(a, VERSION NO VALUE, STANDALONE YES), XMLEXISTS('//a' PASSING BY REF b), XMLELEMENT(NAME "a b"), XMLPARSE(CONTENT a PRESERVE WHITESPACE), f(VARIADIC a), f(a, VARIADIC b), f(a := 1, b => 2), f(DISTINCT a), f(ALL a), f(*), count(*) FROM t;
-- @17
SELECT XMLSERIALIZE(DOCUMENT a AS text INDENT);
-- @16
SELECT XMLSERIALIZE(CONTENT a AS text NO INDENT);
TABLE ONLY t ORDER BY a LIMIT 1;
(((SELECT 1))) UNION ALL (TABLE t) EXCEPT DISTINCT (VALUES (1)) INTERSECT ALL SELECT 2 ORDER BY 1 LIMIT 1;
SELECT FROM t WHERE true;
SELECT count(*) FILTER (WHERE a) AS "a", sum(CASE WHEN a THEN 1 END) OVER (PARTITION BY (SELECT 1)) FROM t GROUP BY (), (a), b, (c, d), 1, lower(e) HAVING bool_and(f) ORDER BY count(*) DESC, 2;
INSERT INTO t AS x (a, b[1], c.d, e) SELECT 1, 2, 3, 4 FROM u ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING RETURNING a AS id, *;
INSERT INTO t (WITH x AS (SELECT 1) SELECT * FROM x);
INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x;
INSERT INTO t (SELECT 1 UNION SELECT 2);
INSERT INTO t TABLE u;
INSERT INTO t OVERRIDING USER VALUE SELECT 1;
INSERT INTO t VALUES (DEFAULT, 1 + 1, (SELECT 1), ARRAY[]::text[], ROW (1, 2), 'a'::app.b, NULL, E'\n', now() - interval '1 day', '{"a": [1, 2]}'), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10) ON CONFLICT (a, lower(b) COLLATE "C" text_ops, (c || d)) WHERE e IS NOT NULL DO UPDATE SET (a, b) = ROW (EXCLUDED.a, DEFAULT), c = (SELECT 1) WHERE t.a IS DISTINCT FROM EXCLUDED.a;
WITH a AS NOT MATERIALIZED (SELECT 1), b (x) AS (INSERT INTO t DEFAULT VALUES RETURNING *), c AS (DELETE FROM t WHERE x IN (SELECT x FROM b) RETURNING 1), d AS (VALUES (1)), e AS (TABLE t) UPDATE t SET a = b.x FROM a, b, c WHERE t.id = b.x RETURNING t.*;
UPDATE app.t * SET a = 1;
UPDATE t AS x SET (a) = (SELECT 1), (b, c) = ROW (1, DEFAULT), d.e = 1, f[1:2] = '{1,2}', g = (CASE WHEN h THEN 1 END) FROM u LEFT JOIN v USING (id) WHERE x.id = u.id;
DELETE FROM ONLY t USING a, b AS c JOIN d ON true WHERE t.id = a.id AND CURRENT_DATE > x;
WITH x AS (SELECT 1) DELETE FROM t WHERE id IN (TABLE x);
COPY users (id, "Name") FROM '/tmp/users.csv' DELIMITER ',' CSV HEADER NULL AS 'NULL' QUOTE AS '"' ESCAPE '\' ENCODING 'utf8';
COPY BINARY t TO '/tmp/t';
COPY t FROM PROGRAM 'zcat /tmp/x.gz' WITH (FORMAT text, DELIMITER E'\t', NULL '\N', FREEZE, FORCE_NOT_NULL (a, b), FORCE_NULL (c)) WHERE id % 2 = 0;
COPY (WITH x AS (SELECT 1) SELECT * FROM x) TO '/tmp/x' WITH CSV FORCE QUOTE *;
COPY (UPDATE t SET a = 1 RETURNING *) TO '/tmp/u' WITH BINARY;
COPY (VALUES (1), (2)) TO STDOUT WITH DELIMITER '|';
