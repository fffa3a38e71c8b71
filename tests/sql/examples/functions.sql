-- Functions and procedures.

CREATE FUNCTION add(integer, integer) RETURNS integer
    AS 'select $1 + $2;'
    LANGUAGE SQL
    IMMUTABLE
    RETURNS NULL ON NULL INPUT;
CREATE FUNCTION add(a integer, b integer) RETURNS integer
    LANGUAGE SQL
    IMMUTABLE
    RETURNS NULL ON NULL INPUT
    RETURN a + b;
CREATE OR REPLACE FUNCTION increment(i integer) RETURNS integer AS $$
        BEGIN
                RETURN i + 1;
        END;
$$ LANGUAGE plpgsql;
CREATE FUNCTION dup(in int, out f1 int, out f2 text)
    AS $$ SELECT $1, CAST($1 AS text) || ' is text' $$
    LANGUAGE SQL;
CREATE FUNCTION dup(int) RETURNS TABLE(f1 int, f2 text)
    AS $$ SELECT $1, CAST($1 AS text) || ' is text' $$
    LANGUAGE SQL;
CREATE FUNCTION out_only(OUT a int) RETURNS NULL ON NULL INPUT LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION sides(int) RETURNS TABLE (left text, right text, "order" int) AS 'SELECT 1' LANGUAGE sql;
CREATE FUNCTION check_password(uname TEXT, pass TEXT)
RETURNS BOOLEAN AS $body$
DECLARE passed BOOLEAN;
BEGIN
        SELECT  (pwd = $2) INTO passed FROM pwds WHERE username = $1; -- it's here
        RETURN passed;
END;
$body$  LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = admin, pg_temp;
CREATE OR REPLACE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql VOLATILE PARALLEL SAFE COST 100 AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE FUNCTION v(VARIADIC arr numeric[], a int DEFAULT 1, b text = 'x'::text) RETURNS SETOF accounts ROWS 10 STABLE LEAKPROOF LANGUAGE 'sql' AS 'SELECT * FROM accounts';
CREATE FUNCTION c_func(integer) RETURNS integer AS 'filename', 'symbol' LANGUAGE C STRICT;
CREATE FUNCTION f(a accounts.id%TYPE) RETURNS accounts.name%TYPE LANGUAGE sql AS '';
CREATE FUNCTION a() RETURNS void BEGIN ATOMIC
    INSERT INTO t SELECT 1 AS end;
    UPDATE t SET a = CASE WHEN b THEN 1 ELSE 2 END;
    SELECT 1;
END;
CREATE PROCEDURE insert_data(a integer, b integer)
LANGUAGE SQL
AS $$
INSERT INTO tbl VALUES (a);
INSERT INTO tbl VALUES (b);
$$;
CREATE PROCEDURE insert_data(a integer, INOUT b integer)
LANGUAGE SQL
BEGIN ATOMIC
  INSERT INTO tbl VALUES (a);
  INSERT INTO tbl VALUES (b);
END;
CALL insert_data(1, b => 2);
CALL do_db_maintenance();
DROP FUNCTION IF EXISTS sqrt(integer), app.touch CASCADE;
DROP PROCEDURE do_db_maintenance(IN target_schema text, OUT results text);
DROP ROUTINE foo(integer);
ALTER FUNCTION sqrt(integer) OWNER TO joe;
ALTER FUNCTION check_password(text) SET search_path = admin, pg_temp;
ALTER FUNCTION sqrt(integer) DEPENDS ON EXTENSION mathlib;
CREATE AGGREGATE sum_ints (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = SAFE);
CREATE AGGREGATE pct (float8 ORDER BY anyelement) (SFUNC = f, STYPE = internal, FINALFUNC = g, HYPOTHETICAL);
CREATE OPERATOR === (LEFTARG = box, RIGHTARG = box, FUNCTION = area_equal_function, COMMUTATOR = ===, NEGATOR = !==, RESTRICT = area_restriction_function, HASHES, MERGES);
CREATE OPERATOR CLASS gist__int_ops DEFAULT FOR TYPE _int4 USING gist AS
        OPERATOR        3       &&,
        OPERATOR        6       = (anyarray, anyarray),
        OPERATOR        15      <-> (point, point) FOR ORDER BY float_ops,
        FUNCTION        1       g_int_consistent (internal, _int4, smallint, oid, internal),
        STORAGE         bigint;
DROP OPERATOR ^ (integer, integer), ~ (none, bit);
CREATE CAST (bigint AS int4) WITH FUNCTION int4(bigint) AS ASSIGNMENT;
CREATE CAST (text AS app.status) WITH INOUT AS IMPLICIT;
CREATE TRANSFORM FOR hstore LANGUAGE plpython3u (FROM SQL WITH FUNCTION hstore_to_plpython(internal), TO SQL WITH FUNCTION plpython_to_hstore(internal));
CREATE TRUSTED LANGUAGE plx HANDLER plx_call_handler;
CREATE TEXT SEARCH CONFIGURATION public.pg (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION pg ALTER MAPPING FOR asciiword, asciihword, hword WITH pg_dict, english_ispell, english_stem;
CREATE TEXT SEARCH DICTIONARY my_dict (template = snowball, language = russian, stopwords = myrussian);
DO $$DECLARE r record;
BEGIN
    FOR r IN SELECT table_schema, table_name FROM information_schema.tables
             WHERE table_type = 'VIEW' AND table_schema = 'public'
    LOOP
        EXECUTE 'GRANT ALL ON ' || quote_ident(r.table_schema) || '.' || quote_ident(r.table_name) || ' TO webuser';
    END LOOP;
END$$;
DO LANGUAGE plpgsql $do$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'x') THEN CREATE TYPE x AS ENUM ('a;'); END IF; END $do$;
