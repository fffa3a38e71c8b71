//! Statements of which PostgreSQL 15 has been asked: what it takes, and what it refuses close by.
//!
//! `tests/it/syntax_oracle.rs` of the workspace asks of far more; these need no server.

use std::sync::Arc;

use crate::lexer::lex;
use crate::source::SourceFile;
use crate::statement::split;
use crate::syntax::check;

/// Taken, although the parser refuses most of it.
const RIGHT: &[&str] = &[
    "REINDEX (CONCURRENTLY TRUE, VERBOSE) TABLE t",
    "REINDEX (any_word) TABLE t",
    "REINDEX (a, b 1, c 'x', d on, analyze, e false) TABLE t",
    "REINDEX (a b) TABLE t",
    "REINDEX (verbose on, b) TABLE t",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(a, table, 1, 'x', \"q\")",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(, a)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(table)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE PROCEDURE f(select, 'x')",
    "SELECT a like FROM t",
    "SELECT 1 between",
    "SELECT (1) in, 2 ilike FROM t",
    "SELECT 'x' like, \"q\" in",
    "SELECT * FROM (SELECT a like) AS s",
    "SELECT ((SELECT 1) UNION SELECT 2)",
    "SELECT 1 + ((SELECT 1) UNION SELECT 2)",
    "SELECT ((SELECT 1) UNION SELECT)",
    "SELECT * FROM t FOR READ ONLY",
    "CREATE USER MAPPING FOR USER SERVER s",
    "DROP USER MAPPING FOR USER SERVER s",
    "UPDATE t SET (a, b) = f(1)",
    "UPDATE t SET c = 1, (a, b) = f(1)",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET (a, b) = f(1)",
    "SELECT * FROM xmlforest(a AS b)",
    "SELECT * FROM t, xmlforest(a AS b)",
    "SELECT * FROM t JOIN xmlforest(f(1) AS b) ON true",
    "SELECT * FROM xmlforest((a) AS b, f(c) AS d) AS e",
    "SELECT json_value(a, 1, 2)",
    "SELECT json_object(a)",
    "SELECT f(1) FROM json_exists(1, 2, 3)",
    "SELECT left('abc', 1)",
    "SELECT * FROM left('abc', 1)",
    "CREATE FUNCTION f() RETURNS TABLE (right text) LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f(left text) RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f(a int, left text) RETURNS int LANGUAGE sql RETURN 1",
    "CREATE FUNCTION f() RETURNS int LANGUAGE left AS ''",
    "CREATE FUNCTION f() RETURNS int LANGUAGE between AS ''",
    "WITH values (a, b) AS (SELECT 1, 2) SELECT * FROM values",
    "WITH values AS (SELECT 1) SELECT 1",
    "INSERT INTO t (values, time) SELECT 1",
    "INSERT INTO t (values.a, time[1]) SELECT 1",
    "CREATE INDEX i ON t (time)",
    "SELECT json_object_agg(1) FROM t",
    "ALTER TABLE t ADD COLUMN a system_user",
    "CREATE TABLE a (b serial) WITH (c)",
    "COPY t FROM stdin USING DELIMITERS ','",
    "COPY t FROM stdin DELIMITERS ','",
    "ALTER TABLE t ALTER a RESTART RESTART",
    "ALTER TABLE t ALTER a RESTART SET CACHE 1",
    "ALTER SERVER s VERSION null",
    "CREATE SCHEMA AUTHORIZATION CURRENT_USER",
    "DROP LANGUAGE a, b",
    "DROP LANGUAGE a, \"b\", c",
    "DROP TEXT SEARCH PARSER a, b.c, d",
    "EXPLAIN REFRESH MATERIALIZED VIEW v",
    "EXPLAIN (ANALYZE) REFRESH MATERIALIZED VIEW v",
    "COMMENT ON TYPE double precision IS 'x'",
    "COMMENT ON TYPE numeric(1, 2) IS 'x'",
    "COMMENT ON TYPE double IS 'x'",
    "DROP DOMAIN a, int[]",
    "DROP DOMAIN IF EXISTS a, int[] CASCADE",
    "DROP TYPE numeric(1, 2), double precision, a",
    "ALTER TABLE t ADD EXCLUDE (time WITH &&)",
    "CREATE TABLE t (EXCLUDE USING gist (a range_ops WITH &&))",
    "DO LANGUAGE 'plpgsql' 'BEGIN END'",
    "DO 'BEGIN END' LANGUAGE plpgsql",
    "REVOKE ADMIN OPTION FOR a FROM b",
    "ALTER USER u",
];

/// Refused.
const WRONG: &[&str] = &[
    "REINDEX () TABLE t",
    "REINDEX (1) TABLE t",
    "REINDEX (a,) TABLE t",
    "REINDEX (a b c) TABLE t",
    "REINDEX (a 1 2) TABLE t",
    "REINDEX (select) TABLE t",
    "REINDEX (a select) TABLE t",
    "REINDEX (a (b)) TABLE t",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(a, table b)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(table,)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(table,, a)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(,)",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(table, (1))",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(table) x",
    "SELECT a + like FROM t",
    "SELECT select like FROM t",
    "SELECT ((SELECT 1) UNION 2)",
    "SELECT (SELECT 1) UNION SELECT 2)",
    "SELECT ((SELECT 1), UNION SELECT 2)",
    "SELECT * FROM t READ ONLY",
    "SELECT * FROM t FOR READ ONLY ONLY",
    "CREATE USER MAPPING FOR TABLE SERVER s",
    "UPDATE t SET (a, b) = f(1) +",
    "UPDATE t SET f(a) = 1",
    "SELECT * FROM f(a AS b)",
    "SELECT * FROM xmlforest(a AS)",
    "SELECT a FROM left",
    "CREATE FUNCTION f(select text) RETURNS int LANGUAGE sql RETURN 1",
    "CREATE TABLE t (left text)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE select AS ''",
    "COPY t FROM stdin DELIMITERS x",
    "CREATE EXTENSION e VERSION null",
    "CREATE SCHEMA AUTHORIZATION TABLE",
    "DROP LANGUAGE a,",
    "DROP LANGUAGE a, select",
    "EXPLAIN REFRESH v",
    "EXPLAIN FROM REFRESH MATERIALIZED VIEW v",
    "COMMENT ON TYPE double precision precision IS 'x'",
    "COMMENT ON TYPE IS 'x'",
    "DROP TYPE numeric(1",
    "ALTER TABLE t ADD EXCLUDE USING gist (a, timestamp WITH &&)",
    "DO",
    "DO LANGUAGE",
    "DO 'x' 1",
    "DO LANGUAGE 1 'x'",
    "ALTER USER",
];

fn is_refused(sql: &str) -> bool {
    let file = Arc::new(SourceFile::new("1_a.sql", sql));
    let lexed = lex(file.text());
    let statements = split(file.text(), &lexed);
    !check(&file, &lexed, &statements.iter().collect::<Vec<_>>()).is_empty()
}

#[test]
fn what_postgresql_takes_is_accepted() {
    let refused: Vec<_> = RIGHT.iter().filter(|sql| is_refused(sql)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn what_is_next_to_it_is_refused() {
    let accepted: Vec<_> = WRONG.iter().filter(|sql| !is_refused(sql)).collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
}
