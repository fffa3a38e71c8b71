-- Queries and changes of data.

INSERT INTO films VALUES ('UA502', 'Bananas', 105, '1971-07-13', 'Comedy', '82 minutes');
INSERT INTO films (code, title, did, date_prod, kind) VALUES
    ('B6717', 'Tampopo', 110, DEFAULT, 'Comedy'),
    ('HG120', 'The Dinner Game', -140, NULL, E'Comedy\\');
INSERT INTO films SELECT * FROM tmp_films WHERE date_prod < '2004-05-07' ON CONFLICT DO NOTHING;
INSERT INTO tictactoe (game, board[1:3][1:3]) VALUES (1, '{{" "," "," "},{" "," "," "}}');
INSERT INTO distributors AS d (did, dname) VALUES (8, 'Anvil')
    ON CONFLICT (did) DO UPDATE
    SET dname = EXCLUDED.dname || ' (formerly ' || d.dname || ')'
    WHERE d.zipcode <> '21201' RETURNING d.*, (xmax = 0) AS inserted;
INSERT INTO t (a, values, exclude, time, key) OVERRIDING SYSTEM VALUE VALUES (1, 2, 3, now(), 'x') ON CONFLICT (lower(key), a) WHERE a > 0 DO UPDATE SET (a, time) = (EXCLUDED.a, DEFAULT);
INSERT INTO t DEFAULT VALUES;
WITH upd AS (
  UPDATE employees SET sales_count = sales_count + 1 WHERE id = (SELECT sales_person FROM accounts WHERE name = 'Acme Corporation') RETURNING *
)
INSERT INTO employees_log SELECT *, current_timestamp FROM upd;
UPDATE films SET kind = 'Dramatic' WHERE kind = 'Drama';
UPDATE weather SET (temp_lo, temp_hi, prcp) = (temp_lo+1, temp_lo+15, DEFAULT) WHERE city = 'San Francisco' AND date = '2003-07-03' RETURNING temp_lo, temp_hi, prcp;
UPDATE accounts SET (contact_first_name, contact_last_name) = (SELECT first_name, last_name FROM employees WHERE employees.id = accounts.sales_person);
UPDATE summary s SET (sum_x, avg_x) = (SELECT sum(x), avg(x) FROM data d WHERE d.group_id = s.group_id) FROM other o JOIN more USING (id) WHERE o.id = s.id;
UPDATE t SET data = jsonb_set(data, '{a}', '1') - 'b' || '{"c": 2}'::jsonb, arr[1] = 5, comp.field = 3, arr = arr || 1 WHERE id = ANY ($1) AND NOT arr && ARRAY[1, 2];
UPDATE films SET kind = 'Dramatic' WHERE CURRENT OF c_films;
DELETE FROM films USING producers WHERE producer_id = producers.id AND producers.name = 'foo';
DELETE FROM a x WHERE x.ctid NOT IN (SELECT min(ctid) FROM a GROUP BY b, c) RETURNING *;
-- @15
MERGE INTO customer_account ca
USING (SELECT customer_id, transaction_value FROM recent_transactions) AS t
ON t.customer_id = ca.customer_id
WHEN MATCHED AND t.transaction_value > 0 THEN
  UPDATE SET balance = balance + transaction_value
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN
  INSERT (customer_id, balance)
  VALUES (t.customer_id, t.transaction_value);
SELECT DISTINCT ON (location) location, time, report FROM weather_reports ORDER BY location, time DESC;
SELECT kind, sum(len) AS total FROM films GROUP BY kind HAVING sum(len) < interval '5 hours';
SELECT distributors.name FROM distributors WHERE distributors.name LIKE 'W%' UNION ALL SELECT actors.name FROM actors WHERE actors.name ILIKE ANY (ARRAY['W%', 'x']) ORDER BY 1 LIMIT 10 OFFSET 5;
SELECT * FROM distributors_2(111) AS (f1 int, f2 text);
SELECT * FROM unnest(ARRAY['a','b','c','d','e','f']) WITH ORDINALITY AS x (v, i);
SELECT * FROM ROWS FROM (json_to_recordset('[{"a":40,"b":"foo"}]') AS (a INTEGER, b TEXT), generate_series(1, 3)) AS x (p, q, s) ORDER BY p;
SELECT * FROM left('abc', 2), right('abc', 1) r, coalesce(1, 2);
WITH RECURSIVE employee_recursive(distance, employee_name, manager_name) AS (
    SELECT 1, employee_name, manager_name
    FROM employee
    WHERE manager_name = 'Mary'
  UNION ALL
    SELECT er.distance + 1, e.employee_name, e.manager_name
    FROM employee_recursive er, employee e
    WHERE er.employee_name = e.manager_name
  )
SELECT distance, employee_name FROM employee_recursive;
WITH values AS (SELECT 1), update AS (SELECT 2), data AS MATERIALIZED (TABLE t) SELECT * FROM values, update, data;
SELECT m.name AS mname, pname FROM manufacturers m LEFT JOIN LATERAL get_product_names(m.id) pname ON true WHERE (a, b) IN ((1, 2), (3, 4)) AND (x, y) OVERLAPS (p, q);
SELECT depname, empno, salary, rank() OVER (PARTITION BY depname ORDER BY salary DESC), sum(salary) OVER w, lag(salary, 1) FILTER (WHERE salary > 0) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM empsalary WINDOW w AS (PARTITION BY depname);
SELECT brand, size, sum(sales) FROM items_sold GROUP BY GROUPING SETS ((brand), (size), ()), ROLLUP (a, (b, c)), CUBE (d);
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY income), array_agg(a ORDER BY b DESC, c), string_agg(DISTINCT x, ', ' ORDER BY x) FROM households;
SELECT CASE WHEN n_tup > 0 THEN 1.0 * a / b WHEN x IS NOT NULL THEN 0 END, CASE a WHEN 1 THEN 'one' ELSE 'other' END AS "Case" FROM t;
SELECT a::numeric(5, 2)::text COLLATE "C", CAST(b AS timestamp with time zone), '1'::int, (c).d, (c).*, e[1], e[1:2][:], ARRAY[[1, 2], [3, 4]], ARRAY(SELECT 1), ROW(1, 'a'), -x ^ 2 % 3, !!a, @ b, |/ 25.0, a !~~* b, c OPERATOR(pg_catalog.+) d FROM t;
SELECT extract(epoch FROM now()), extract(year from timestamp '2001-02-16'), date_trunc('hour', ts), interval '1 year 2 months', interval '1' day, timestamp with time zone '2004-10-19 10:23:54+02', time '04:05:06', date '1999-01-08', B'101', X'1FF', 1e10, .5, 5., 0, $1;
SELECT substring('Thomas' from 2 for 3), substring('Thomas' from '...$'), position('b' in 'abc'), overlay('Txxxxas' placing 'hom' from 2 for 4), trim(both 'xyz' from 'yxTomxx'), trim(leading from '  a'), normalize(U&'\0061\0308bc', NFC), collation for ('foo' COLLATE "de_DE"), nullif(a, 0), greatest(1, 2, 3), least(a, b);
SELECT a IS TRUE, b IS NOT UNKNOWN, c IS NULL, d ISNULL, e NOTNULL, f IS DISTINCT FROM g, h BETWEEN SYMMETRIC 1 AND 2, i NOT LIKE '%x!_' ESCAPE '!', j SIMILAR TO '(a|b)%', k AT TIME ZONE 'utc', l <> ALL (SELECT 1), m = SOME (ARRAY[1]), n IS DOCUMENT FROM t;
SELECT xmlelement(name foo, xmlattributes('xyz' as bar), 'cont', 'ent'), xmlforest(a AS b, c), xmlagg(x ORDER BY y DESC), xmlparse(document '<a/>'), xmlserialize(content x AS text), xpath('/a', x) FROM t;
SELECT xmltable.* FROM xmldata, XMLTABLE('//ROWS/ROW' PASSING data COLUMNS id int PATH '@id', ordinality FOR ORDINALITY, size_in_km2 float PATH 'SIZE[@unit = "sq_km"]', premier_name text PATH 'PREMIER_NAME' DEFAULT 'not specified');
SELECT * FROM a NATURAL JOIN b CROSS JOIN c FULL OUTER JOIN d USING (x, y) RIGHT JOIN (e INNER JOIN f ON e.id = f.id) ON true, LATERAL (SELECT 1) AS g, ONLY (h), i *, j TABLESAMPLE BERNOULLI (10) REPEATABLE (200);
SELECT * FROM t FOR UPDATE OF t NOWAIT;
SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED LIMIT 1;
SELECT a AS year, b AS select, c "Label", d value, e type FROM t AS x (a, b) ORDER BY a USING >, b NULLS FIRST FETCH FIRST 5 ROWS ONLY;
(SELECT 1 UNION SELECT 2) INTERSECT (SELECT 3 EXCEPT ALL VALUES (4)) ORDER BY 1;
SELECT ((SELECT 1) UNION SELECT 2) + 1, EXISTS (TABLE t), NOT EXISTS (VALUES (1)), ((SELECT a FROM t ORDER BY 1 LIMIT 1));
VALUES (1, 'one'), (2, 'two'), (3, 'three') ORDER BY 1;
TABLE films;
SELECT;
SELECT 'one'
'two' -- continued
'three', E'a\'b', '' FROM t WHERE 'x' = $q$it's$q$;
COPY country TO STDOUT (DELIMITER '|', FORMAT csv, FORCE_QUOTE *);
COPY (SELECT * FROM country WHERE country_name LIKE 'A%') TO PROGRAM 'gzip > /tmp/a.gz';
COPY country FROM '/usr1/proj/bray/sql/country_data' WITH (FORMAT csv, HEADER true, NULL '') WHERE a > 0;
EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON, COSTS off) SELECT * FROM foo;
VACUUM (VERBOSE, ANALYZE) onek;
ANALYZE films (a, b), other;
PREPARE fooplan (int, text, bool, numeric) AS INSERT INTO foo VALUES ($1, $2, $3, $4);
EXECUTE fooplan(1, 'Hunter Valley', 't', 200.00);
DECLARE liahona SCROLL CURSOR WITH HOLD FOR SELECT * FROM films;
FETCH FORWARD 5 FROM liahona;
NOTIFY virtual, 'This is the payload';
