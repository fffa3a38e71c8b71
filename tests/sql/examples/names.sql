-- Odd names, operators and literals.

CREATE TABLE "Table" ("select" int, "a""b" text, "ü x" int);
CREATE TABLE größe (straße text, naïve int, 日付 date, _ int, a$b int, "$c" int);
CREATE TABLE t (action text, admin bool, at timestamptz, by text, cache int, class text, comments text, content text, cost numeric, current bool, day int, depth int, domain text, each int, event text, external bool, filter text, first int, following int, format text, function text, global bool, "group" int, hold bool, hour int, identity text, index int, input text, key text, label text, language text, last int, location text, lock bool, match text, method text, mode text, names text[], next int, no int, nothing int, object text, off bool, old text, new text, option text, ordinality int, over bool, owned bool, parameter text, partition text, path text, period int, plan text, policy text, prior int, program text, range text, ref text, reference text, relative bool, release text, replica int, result text, returns int, role text, rows int, rule text, schema text, scope text, second int, sequence int, server text, session text, share numeric, show bool, source text, start date, statement text, storage text, subscription text, system text, target text, template text, transaction text, trigger text, truncate bool, uncommitted int, unlogged bool, until date, valid bool, view text, volatile bool, whitespace text, within int, work text, zone text);
CREATE TABLE t (bigint bigint, bit bit(3), boolean boolean, char char, character character varying(10), coalesce int, dec dec(3, 1), decimal decimal, exists bool, extract int, float float(24), greatest int, grouping int, inout int, int int, integer integer, national text, nchar nchar(3), none int, nullif int, numeric numeric, out int, overlay int, precision int, real real, row int, setof int, smallint smallint, substring text, timestamp timestamp(3) with time zone, treat int, trim int, values int, varchar varchar, xmltable int);
SELECT t.select, t.from, t.table, t."where", x.user, y.end AS end, z.case "case" FROM t;
SELECT a AS all, b AS and, c AS array, 1 AS from, 2 AS table, d AS null FROM t;
SELECT 1 a, 2 date, 3 timestamp, 4 name, 5 text, 6 type, 7 names, 8 value, 9 values, 10 key;
SELECT year, month, day, extract(day FROM date), date + time, name::name, text::text, "interval" FROM dates;
SELECT "authorization".x, "left".y FROM "left", "authorization";
ALTER TABLE t RENAME COLUMN date TO time;
ALTER TABLE t ADD COLUMN position int, ADD value text, ADD COLUMN key text, ADD "column" text;
ALTER TABLE t ADD constraints int, DROP COLUMN position, ALTER type TYPE text, ALTER COLUMN data SET DATA TYPE jsonb USING data::jsonb;
CREATE INDEX type ON t (type, name, (value), key text_pattern_ops, position DESC);
INSERT INTO user_roles (role, user_id, "user", type, value, key, position) VALUES ('a', 1, 2, 3, 4, 5, 6) ON CONFLICT (role, type) DO UPDATE SET value = EXCLUDED.value, position = user_roles.position + 1;
UPDATE t SET name = 'x', type = DEFAULT, value = value + 1, position = 3, exists = true, "end" = now() WHERE key = 'a' AND timestamp > now() AND date BETWEEN '2020-01-01' AND '2021-01-01' AND row IS NULL;
DELETE FROM only_t AS old WHERE old.language = 'x' OR old.position IN (1, 2);
CREATE TYPE level AS ENUM ();
CREATE TYPE "Mood" AS ENUM ('it''s', E'a\nb', 'ü');
CREATE TYPE app.address AS (street text, "zip-code" varchar(10) COLLATE "C", location point);
CREATE TYPE empty AS ();
CREATE TYPE shell;
CREATE TYPE box (INTERNALLENGTH = 16, INPUT = my_box_in_function, OUTPUT = my_box_out_function, ELEMENT = float4, ALIGNMENT = double, PASSEDBYVALUE, LIKE = int8, DEFAULT = '0', COLLATABLE = true, SUBSCRIPT = array_subscript_handler);
CREATE TYPE tsr AS RANGE (SUBTYPE = timestamptz, SUBTYPE_OPCLASS = timestamptz_ops, COLLATION = "C", CANONICAL = f, MULTIRANGE_TYPE_NAME = tsmr);
ALTER TYPE app.address ADD ATTRIBUTE country text COLLATE "C" CASCADE, DROP ATTRIBUTE IF EXISTS street RESTRICT, ALTER ATTRIBUTE location SET DATA TYPE geometry(Point, 4326) CASCADE;
ALTER TYPE app.address RENAME ATTRIBUTE street TO line1 CASCADE;
ALTER TYPE mytype SET (SEND = mytypesend, RECEIVE = NONE, STORAGE = extended);
ALTER TYPE "Mood" ADD VALUE 'meh' BEFORE 'it''s';
CREATE DOMAIN app.email AS citext COLLATE "default" DEFAULT '' CONSTRAINT fmt CHECK (VALUE ~ '^[^@]+@[^@]+$') NOT NULL;
ALTER DOMAIN app.email DROP CONSTRAINT IF EXISTS fmt CASCADE;
ALTER DOMAIN app.email ADD CONSTRAINT len CHECK (length(VALUE) < 255) NOT VALID;
ALTER DOMAIN app.email VALIDATE CONSTRAINT len;
-- @17
ALTER DOMAIN app.email ADD NOT NULL;
ALTER DOMAIN app.email RENAME CONSTRAINT a TO b;
ALTER DOMAIN app.email SET DEFAULT 'a' || 'b';
SELECT a <-> b, a <=> b, a <#> b, a @> b, a <@ b, a && b, a &< b, a &> b, a << b, a >> b, a <<| b, a |>> b, a -|- b, a ~= b, a ## b, a ?# b, a ?- b, a ?| b, a ?-| b, a ?|| b, # a, @@ a, @-@ a, ?- a, ||/ 27.0, ~ 1, a # b, a ~ b, a !~ b, a ~* b, a ^@ b, a %> b, a <<% b, a *= b, a **** b, -1, - a, + 1, a - -1, a*-1, a<-1, a OPERATOR(public.@@@) b, OPERATOR(pg_catalog.-) 1 FROM t;
SELECT U&'d\0061t\+000061', U&'d!0061' UESCAPE '!', U&"d\0061t" FROM U&"\0441\043B\043E\043D";
SELECT E'\x41\101\u0041\U00000041\\\'', B'1010', X'1FF', N'nat', b'0', x'', '\no escape', 'a''b', $$a'b$$, $q$ $$ $q$, '''' AS "quote";
-- @16
SELECT 0x1F, 0o17, 0b101, 1_000_000, 1.5e+10, .5, 5., 1e-3, 0xFFFF_FFFF, 1_000.000_1;
SELECT 1.5e+10, .5, 5., 1e-3, 1::int8, '-1'::int, +1, $1, $2::text;
