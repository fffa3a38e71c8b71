//! `plan`: what would run, the locks it would take, and a script for a person.

use super::Case;
use crate::server::TestDatabase;

#[test]
fn plan_shows_statements_and_changes_nothing() {
    let case = Case::new("plan");
    let ran = case.run(&["plan", "--exit-code"]);
    assert_eq!(
        ran.stdout(3),
        "0001_users  migrations/0001_users.sql\n    CREATE TABLE users (id bigint)\n\
         0002_teams  migrations/0002_teams.sql\n    CREATE TABLE teams (id bigint)\n    CREATE INDEX ON teams (id)\n\
         2 migrations to run\n"
    );
    let first = case.json(&["plan", "--to", "0001_users"]);
    assert_eq!(first["steps"].as_array().unwrap().len(), 1);
    assert_eq!(first["steps"][0]["undo"], true);
    assert_eq!(case.run(&["up", "--to", "2"]).code, 0);
    assert_eq!(case.run(&["plan", "--exit-code"]).stdout(0), "nothing to do\n");
    case.database.client().run("DELETE FROM migrations WHERE name = '0001_users'");
    let late = case.run(&["plan"]);
    assert!(late.stdout(0).contains("(late: something newer is applied)"), "{}", late.stdout);
    assert_eq!(case.run(&["plan", "--strict-order"]).code, 4);
}

#[test]
fn plan_shows_the_locks_that_the_server_takes() {
    let case = Case::new("plan-locks");
    assert_eq!(case.run(&["up"]).code, 0);
    let text = "ALTER TABLE users ADD PRIMARY KEY (id);\n\
        ALTER TABLE teams ADD COLUMN owner bigint REFERENCES users (id);\n\
        CREATE TABLE own (team bigint);\nCREATE INDEX ON own (team);\n";
    case.project.write("migrations/0003_owners.sql", text);
    let ran = case.run(&["plan"]);
    let expected = "    ALTER TABLE users ADD PRIMARY KEY (id)\n        locks users: ACCESS EXCLUSIVE\n    \
        ALTER TABLE teams ADD COLUMN owner bigint REFERENCES users (id)\n        \
        locks teams: ACCESS EXCLUSIVE\n        locks users: SHARE ROW EXCLUSIVE\n    \
        CREATE TABLE own (team bigint)\n    CREATE INDEX ON own (team)\n";
    assert!(ran.stdout(0).contains(expected), "{}", ran.stdout);
    let plan = case.json(&["plan"]);
    assert_eq!(plan["steps"][0]["statements"][1]["locks"][0]["relation"], "teams");
}

/// The words of a statement against `pg_locks`.
#[test]
fn locks_are_those_of_the_server() {
    let database = TestDatabase::new();
    let client = database.client();
    client.run(
        "CREATE TABLE o (id bigint PRIMARY KEY); CREATE TABLE t (id bigint, o bigint, CHECK (id > 0) NOT VALID); \
         ALTER TABLE t ADD CONSTRAINT later CHECK (o > 0) NOT VALID; \
         CREATE INDEX t_id ON t (id); CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; \
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE p (id bigint) PARTITION BY RANGE (id); \
         CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f(); CREATE TABLE q (id bigint NOT NULL)",
    );
    let statements = [
        "INSERT INTO t VALUES (1, 2)",
        "UPDATE t SET o = 3",
        "DELETE FROM ONLY t",
        "TRUNCATE t",
        "ALTER TABLE t ADD COLUMN a int",
        "ALTER TABLE t ALTER COLUMN o SET STATISTICS 9",
        "ALTER TABLE t VALIDATE CONSTRAINT later",
        "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES o (id)",
        "ALTER TABLE t ADD COLUMN b bigint REFERENCES o",
        "ALTER TABLE t DISABLE TRIGGER g",
        "ALTER TABLE t RENAME TO tt",
        "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (1) TO (2)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (3) TO (4)",
        "CREATE TABLE n (o bigint REFERENCES o (id))",
        "CREATE INDEX ON t (o)",
        "CREATE TRIGGER g2 AFTER INSERT ON t EXECUTE FUNCTION f()",
        "CREATE POLICY pol ON t",
        "DROP TRIGGER g ON t",
        "DROP TABLE t",
        "DROP VIEW v",
        "DROP INDEX t_id",
        "REFRESH MATERIALIZED VIEW m",
    ];
    for sql in statements {
        let lexed = dunlin_core::lexer::lex(sql);
        let found = dunlin_core::statement::split(sql, &lexed);
        for lock in dunlin_core::statement::locks(sql, &lexed, &found[0]) {
            client.run(&format!(
                "BEGIN; CREATE TEMP TABLE was ON COMMIT DROP AS SELECT '{}'::regclass::oid AS id",
                lock.relation
            ));
            client.run(sql);
            let held = client.texts(
                "SELECT mode FROM pg_locks, was WHERE relation = was.id AND pid = pg_backend_pid() AND granted",
            );
            client.run("ROLLBACK");
            let mode = lock.mode.in_catalog().to_owned();
            assert!(held.contains(&mode), "{sql}: {lock:?}, held {held:?}");
        }
        assert!(!dunlin_core::statement::locks(sql, &lexed, &found[0]).is_empty(), "{sql}");
    }
}

/// As `psql` does: commands of its own aside, one statement after the other.
fn by_hand(client: &crate::server::TestClient, script: &str) {
    let script = script.replace("\\set ON_ERROR_STOP on\n", "");
    let lexed = dunlin_core::lexer::lex(&script);
    for statement in dunlin_core::statement::split(&script, &lexed) {
        client.run(statement.text(&script));
    }
}

#[test]
fn a_script_for_a_person_does_what_up_does() {
    let case = Case::new("plan-sql");
    case.project.write(
        "migrations/0003_index.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY users_id ON users (id);\nSELECT 1 -- the end",
    );
    case.project
        .write("migrations/0004_set.sql", "SET search_path = nowhere;\nSELECT 'a;b' -- it''s\n");
    let script = case.run(&["plan", "--sql"]);
    let script = script.stdout(0);
    assert!(script.starts_with("-- 4 migration(s), recorded in "), "{script}");
    assert!(script.contains("\\set ON_ERROR_STOP on\n"), "{script}");
    by_hand(&case.database.client(), script);
    assert_eq!(case.run(&["verify", "--no-pending"]).code, 0);
    let applied = ["0001_users", "0002_teams", "0003_index", "0004_set"];
    assert_eq!(case.applied(), applied);
    // What stopped in the middle is continued, and what is done is not in the next script.
    case.database.client().run("DELETE FROM migrations WHERE name = '0004_set'");
    let script = case.json(&["plan", "--sql"]);
    assert!(script["sql"].as_str().unwrap().starts_with("-- 1 migration(s)"), "{script}");
    by_hand(&case.database.client(), script["sql"].as_str().unwrap());
    assert_eq!(case.applied(), applied);
    assert_eq!(case.run(&["down", "4"]).code, 1);
}
