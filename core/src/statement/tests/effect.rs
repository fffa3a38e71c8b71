//! What statements create, alter, rename and drop.

use super::one;
use crate::statement::{Effect, Verb};

/// Writes an effect as `created INDEX i on t, conditional, concurrently`.
fn describe(effect: &Effect) -> String {
    let verb = match &effect.verb {
        Verb::Created => "created",
        Verb::Altered => "altered",
        Verb::Renamed { .. } => "renamed",
        Verb::ValueAdded { .. } => "extended",
        Verb::Dropped => "dropped",
    };
    let mut text = format!("{verb} {}", effect.object.words());
    if let Some(name) = &effect.name {
        text.push_str(&format!(" {name}"));
    }
    match &effect.verb {
        Verb::Renamed { to } => text.push_str(&format!(" to {to}")),
        Verb::ValueAdded { value } => text.push_str(&format!(" by «{value}»")),
        Verb::Created | Verb::Altered | Verb::Dropped => {}
    }
    if let Some(on) = &effect.on {
        text.push_str(&format!(" on {on}"));
    }
    for (is_set, word) in [
        (effect.conditional, "conditional"),
        (effect.or_replace, "or replace"),
        (effect.concurrently, "concurrently"),
        (effect.temporary, "temporary"),
    ] {
        if is_set {
            text.push_str(&format!(", {word}"));
        }
    }
    text
}

#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    let found: Vec<_> = one(sql).effects.iter().map(describe).collect();
    assert_eq!(found, expected, "in {sql:?}");
    let commented = sql.replace(' ', " /* x */\n");
    let found: Vec<_> = one(&commented).effects.iter().map(describe).collect();
    assert_eq!(found, expected, "in {commented:?}");
}

#[test]
fn tables() {
    check("CREATE TABLE Users (id int)", &["created TABLE users"]);
    check("CREATE TABLE IF NOT EXISTS App.Users ()", &["created TABLE app.users, conditional"]);
    check("CREATE LOCAL TEMP TABLE t (a int)", &["created TABLE t, temporary"]);
    check("CREATE TEMPORARY TABLE t AS TABLE u", &["created TABLE t, temporary"]);
    check("CREATE UNLOGGED TABLE t (a int)", &["created TABLE t"]);
    check("CREATE TABLE s.p PARTITION OF s.t FOR VALUES IN (1)", &["created TABLE s.p on s.t"]);
    check("CREATE FOREIGN TABLE f (a int) SERVER s", &["created FOREIGN TABLE f"]);
    check("CREATE TABLE if (a int)", &["created TABLE if"]);
    check("ALTER TABLE IF EXISTS ONLY s.t ADD a int", &["altered TABLE s.t, conditional"]);
    check("ALTER TABLE t * RENAME a TO b", &["altered TABLE t"]);
    check("ALTER TABLE t RENAME CONSTRAINT a TO b", &["altered TABLE t"]);
    check("ALTER TABLE s.t RENAME TO \"U\"", &["renamed TABLE s.t to s.\"U\""]);
    check("ALTER TABLE s.t SET SCHEMA u", &["renamed TABLE s.t to u.t"]);
    check("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", &["altered TABLE"]);
    check(
        "DROP TABLE IF EXISTS a, b.c CASCADE",
        &["dropped TABLE a, conditional", "dropped TABLE b.c, conditional"],
    );
}

#[test]
fn names_are_written_so_that_equal_ones_are_equal() {
    check("CREATE TABLE \"users\" ()", &["created TABLE users"]);
    check("CREATE TABLE \"Users\" ()", &["created TABLE \"Users\""]);
    check("CREATE TABLE \"a.b\" ()", &["created TABLE \"a.b\""]);
    check("CREATE TABLE a . \"b\"\"c\" ()", &["created TABLE a.\"b\"\"c\""]);
    check("CREATE TABLE \"1a\" ()", &["created TABLE \"1a\""]);
    check("CREATE TABLE \"a1$\" ()", &["created TABLE a1$"]);
    check("CREATE TABLE ÄÖ ()", &["created TABLE ÄÖ"]);
    check("CREATE TABLE \"äö\" ()", &["created TABLE äö"]);
    check("CREATE TABLE U&\"d\\0061t\" ()", &["created TABLE U&\"d\\0061t\""]);
    check("CREATE TABLE 1 ()", &["created TABLE"]);
    check("CREATE TABLE", &["created TABLE"]);
}

#[test]
fn indexes() {
    check("CREATE INDEX ON ONLY s.t (a)", &["created INDEX on s.t"]);
    check(
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS I ON ONLY t USING btree (a)",
        &["created INDEX i on t, conditional, concurrently"],
    );
    check("CREATE INDEX CONCURRENTLY ON t (a)", &["created INDEX on t, concurrently"]);
    check(
        "DROP INDEX CONCURRENTLY IF EXISTS s.i",
        &["dropped INDEX s.i, conditional, concurrently"],
    );
    check("ALTER INDEX i RENAME TO j", &["renamed INDEX i to j"]);
}

#[test]
fn what_belongs_to_a_table() {
    check(
        "CREATE OR REPLACE CONSTRAINT TRIGGER g AFTER INSERT OR UPDATE OF a, b ON s.t EXECUTE FUNCTION f()",
        &["created TRIGGER g on s.t, or replace"],
    );
    check("DROP TRIGGER IF EXISTS g ON s.t CASCADE", &["dropped TRIGGER g on s.t, conditional"]);
    check("ALTER TRIGGER g ON t RENAME TO h", &["renamed TRIGGER g to h on t"]);
    check("CREATE POLICY p ON t USING (true)", &["created POLICY p on t"]);
    check("ALTER POLICY p ON t TO u", &["altered POLICY p on t"]);
    check("DROP POLICY p ON t", &["dropped POLICY p on t"]);
    check(
        "CREATE RULE r AS ON UPDATE TO t DO INSTEAD (SELECT 1; SELECT 2)",
        &["created RULE r on t"],
    );
    check("DROP RULE r ON t", &["dropped RULE r on t"]);
}

#[test]
fn functions_and_types() {
    check(
        "CREATE OR REPLACE FUNCTION s.f(a int DEFAULT 1) RETURNS int AS ''",
        &["created FUNCTION s.f, or replace"],
    );
    check("CREATE PROCEDURE p() BEGIN ATOMIC CREATE TABLE t (); END", &["created PROCEDURE p"]);
    check("ALTER FUNCTION s.f(int) SET SCHEMA u", &["renamed FUNCTION s.f to u.f"]);
    check("ALTER FUNCTION f(int) OWNER TO u", &["altered FUNCTION f"]);
    check(
        "DROP FUNCTION f(int), g, h(a text)",
        &["dropped FUNCTION f", "dropped FUNCTION g", "dropped FUNCTION h"],
    );
    check("CREATE TYPE s.t AS ENUM ('a')", &["created TYPE s.t"]);
    check("ALTER TYPE t RENAME VALUE 'a' TO 'b'", &["altered TYPE t"]);
    check("ALTER TYPE t RENAME ATTRIBUTE a TO b", &["altered TYPE t"]);
    check("CREATE DOMAIN d AS int", &["created DOMAIN d"]);
    check("DROP ROUTINE f", &["dropped ROUTINE f"]);
}

#[test]
fn values_of_enums() {
    check("ALTER TYPE s.t ADD VALUE 'it''s'", &["extended TYPE s.t by «it's»"]);
    check(
        "ALTER TYPE t ADD VALUE IF NOT EXISTS $$a$$ BEFORE 'b'",
        &["extended TYPE t by «a», conditional"],
    );
    check("ALTER TYPE t ADD VALUE $é$a$b$é$", &["extended TYPE t by «a$b»"]);
    check("ALTER TYPE t ADD VALUE E'a'", &["extended TYPE t by «a»"]);
    check("ALTER TYPE t ADD VALUE 'a\\b'", &["extended TYPE t by «a\\b»"]);
    check("ALTER TYPE t ADD VALUE E'a\\n'", &["extended TYPE t by «»"]);
    check("ALTER TYPE t ADD VALUE", &["extended TYPE t by «»"]);
}

#[test]
fn a_schema_brings_its_elements() {
    check("CREATE SCHEMA IF NOT EXISTS s", &["created SCHEMA s, conditional"]);
    check("CREATE SCHEMA AUTHORIZATION u", &["created SCHEMA u"]);
    check(
        "CREATE SCHEMA s AUTHORIZATION u CREATE TABLE t (a int) CREATE INDEX i ON t (a) GRANT SELECT ON t TO v CREATE VIEW x.w AS SELECT 1",
        &["created SCHEMA s", "created TABLE s.t", "created INDEX s.i on s.t", "created VIEW x.w"],
    );
    check("ALTER SCHEMA s RENAME TO u", &["renamed SCHEMA s to u"]);
}

#[test]
fn the_rest() {
    check("CREATE OR REPLACE RECURSIVE VIEW v (a) AS SELECT 1", &["created VIEW v, or replace"]);
    check("CREATE MATERIALIZED VIEW v AS SELECT 1", &["created MATERIALIZED VIEW v"]);
    check(
        "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"",
        &["created EXTENSION \"uuid-ossp\", conditional"],
    );
    check("ALTER EXTENSION e SET SCHEMA s", &["altered EXTENSION e"]);
    check("CREATE SEQUENCE s", &["created SEQUENCE s"]);
    check("CREATE USER u", &["created ROLE u"]);
    check("CREATE STATISTICS ON a, b FROM t", &["created STATISTICS"]);
    check("CREATE STATISTICS s ON a, b FROM t", &["created STATISTICS s"]);
    check("CREATE CAST (a AS b) WITHOUT FUNCTION", &["created CAST"]);
    check("DROP OPERATOR = (a, b)", &["dropped OPERATOR"]);
    check("ALTER OPERATOR CLASS c USING btree RENAME TO d", &["renamed OPERATOR CLASS c to d"]);
    check("CREATE TRUSTED PROCEDURAL LANGUAGE l", &["created LANGUAGE l"]);
    check("CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()", &["created EVENT TRIGGER e"]);
}

#[test]
fn statements_without_effects_on_objects() {
    for sql in [
        "SELECT a INTO t",
        "INSERT INTO t VALUES (1)",
        "ALTER SYSTEM SET a = 1",
        "DROP OWNED BY u",
        "DO 'CREATE TABLE t ()'",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO u",
        "CREATE TABEL t ()",
        "\"CREATE\" TABLE t",
    ] {
        check(sql, &[]);
    }
}
