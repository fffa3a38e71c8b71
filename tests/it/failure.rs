//! What is left and what is said when a migration fails.

mod connection;
mod no_transaction;

use dunlin::{Error, ErrorKind, Migrator, Registry};
use dunlin_tests::{Gate, Recorder, TestDatabase, registry, rendered};

/// Runs what must fail.
async fn failed(database: &TestDatabase, registry: &Registry) -> Error {
    Migrator::new(registry).apply(database.pool()).await.unwrap_err()
}

/// The text of the failure of one migration, in a database with a table `t` and a history table.
async fn said(sql: &str) -> String {
    let database = TestDatabase::new();
    let before =
        "CREATE TABLE t (id int PRIMARY KEY, email text);\nINSERT INTO t VALUES (1, 'x');\n";
    apply(&database, &registry(&[("1_t.sql", before)])).await;
    let error = failed(&database, &registry(&[("1_t.sql", before), ("2_x.sql", sql)])).await;
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some("2_x")));
    assert_eq!(database.applied().await, ["1_t"]);
    rendered(&error)
}

async fn apply(database: &TestDatabase, registry: &Registry) {
    let result = Migrator::new(registry).apply(database.pool()).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    database
        .texts(
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             AND relkind = 'r' AND relname NOT IN ('migrations', 'migrations_log') ORDER BY 1",
        )
        .await
}

#[tokio::test]
async fn the_third_of_five() {
    let database = TestDatabase::new();
    let files = |third: &'static str| {
        registry(&[
            ("1_a.sql", "CREATE TABLE a (id int);\n"),
            ("2_b.sql", "CREATE TABLE b (id int);\n"),
            ("3_c.sql", third),
            ("4_d.sql", "CREATE TABLE d (id int);\n"),
            ("5_e.sql", "CREATE TABLE e (id int);\n"),
        ])
    };
    let recorder = Recorder::default();
    let bad = files(
        "CREATE TABLE c (id int);\nINSERT INTO a VALUES (1);\nALTER TABLE nope\n  ADD COLUMN x int;\n",
    );
    let error =
        Migrator::new(&bad).observer(recorder.clone()).apply(database.pool()).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
migration `3_c` failed: relation \"nope\" does not exist (42P01)
 --> migrations/3_c.sql:3:1
  |
3 | ALTER TABLE nope
  | ^^^^^^^^^^^^^^^^ in this statement (3 of 3)
  |
  = note: `3_c` is rolled back; 2 migrations, `1_a` to `2_b`, were applied by this run and stay, 3 pending
  = help: mend the migration or the data and start again: the run continues with `3_c`"
    );
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some("3_c")));
    let (path, location) = error.location().unwrap();
    assert_eq!((path, location.to_string().as_str()), ("migrations/3_c.sql", "3:1"));
    let done: Vec<_> = error.report().unwrap().done().iter().map(dunlin::Done::name).collect();
    assert_eq!(done, ["1_a", "2_b"]);
    assert_eq!(recorder.lines().last().unwrap(), "⏳ Running: 3_c");

    assert_eq!(tables(&database).await, ["a", "b"]);
    assert_eq!(database.number("SELECT count(*) FROM a").await, 0);
    assert_eq!(database.applied().await, ["1_a", "2_b"]);
    assert_eq!(database.n_locks().await, 0);

    apply(&database, &files("CREATE TABLE c (id int);\n")).await;
    assert_eq!(tables(&database).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn the_very_first() {
    let database = TestDatabase::new();
    let error = failed(&database, &registry(&[("1_a.sql", "DROP TABLE nope;")])).await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_a` failed: table \"nope\" does not exist (42P01)
 --> migrations/1_a.sql:1:1
  |
1 | DROP TABLE nope;
  | ^^^^^^^^^^^^^^^ in this statement
  |
  = note: `1_a` is rolled back; nothing else was changed by this run, except that it created the history table; 1 pending
  = help: mend the migration or the data and start again: the run continues with `1_a`"
    );
    assert_eq!(database.applied().await, [""; 0]);
}

#[tokio::test]
async fn a_position_of_the_server_counts_characters() {
    let text = said("-- é表😀\nCREATE TABLE \"ü😀\" (id int);\nSELECT 'é表😀', nope;\n").await;
    assert_eq!(
        text,
        "\
migration `2_x` failed: column \"nope\" does not exist (42703)
 --> migrations/2_x.sql:3:15
  |
3 | SELECT 'é表😀', nope;
  |                 ^^^^ the server stopped here
  |
  = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
  = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
}

#[tokio::test]
async fn a_syntax_error_in_the_last_statement_is_found_before_anything_runs() {
    let text = said("CREATE TABLE a (id int);\n/* ; */ CREATE TABEL b (id int);\n").await;
    assert_eq!(
        text,
        "\
migration `2_x` failed: syntax error at or near \"TABEL\" (42601)
 --> migrations/2_x.sql:2:16
  |
2 | /* ; */ CREATE TABEL b (id int);
  |                ^^^^^ the server stopped here
  |
  = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
  = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
}

#[tokio::test]
async fn without_a_position_the_statement_is_found_by_counting() {
    let text = said(
        "/* one; */ SELECT ';', $$;$$;\n;;\nCREATE RULE r AS ON UPDATE TO t DO ALSO (SELECT 1; SELECT 2);\n\
         -- three;\nALTER TABLE t ADD COLUMN email text; SELECT 4;\n",
    )
    .await;
    assert_eq!(
        text,
        "\
migration `2_x` failed: column \"email\" of relation \"t\" already exists (42701)
 --> migrations/2_x.sql:5:1
  |
5 | ALTER TABLE t ADD COLUMN email text; SELECT 4;
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (3 of 4)
  |
  = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
  = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
}

#[tokio::test]
async fn inside_a_function() {
    let text = said(
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  PERFORM nope FROM t;\nEND $$;\nSELECT f();\n",
    )
    .await;
    assert_eq!(
        text,
        "\
migration `2_x` failed: column \"nope\" does not exist (42703)
 --> migrations/2_x.sql:5:1
  |
5 | SELECT f();
  | ^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: in the query: SELECT nope FROM t
  = note: in PL/pgSQL function f() line 3 at PERFORM
  = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
  = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
}

#[tokio::test]
async fn all_the_server_says_is_shown() {
    let text = said(
        "DO $$ BEGIN\n  RAISE EXCEPTION 'no owner' USING DETAIL = 'Row 3.', HINT = 'Add one.', ERRCODE = 'P0042';\nEND $$;",
    )
    .await;
    assert_eq!(
        text,
        "\
migration `2_x` failed: no owner (P0042)
 --> migrations/2_x.sql:1:1
  |
1 | DO $$ BEGIN
  | ^^^^^^^^^^^ in this statement
  |
  = note: from the server: Row 3.
  = note: in PL/pgSQL function inline_code_block line 2 at RAISE
  = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
  = help: from the server: Add one.
  = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
    let text = said("INSERT INTO t VALUES (1, 'y');").await;
    assert!(
        text.starts_with(
            "migration `2_x` failed: duplicate key value violates unique constraint \"t_pkey\" (23505)\n"
        ),
        "{text}"
    );
    assert!(text.contains("\n  = note: from the server: Key (id)=(1) already exists.\n"), "{text}");
}

#[tokio::test]
async fn a_deferred_constraint_fails_at_commit() {
    let database = TestDatabase::new();
    let error = failed(
        &database,
        &registry(&[
            ("1_t.sql", "CREATE TABLE t (id int PRIMARY KEY);"),
            (
                "2_u.sql",
                "CREATE TABLE u (t int REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO u VALUES (7);\n",
            ),
            ("3_v.sql", "CREATE TABLE v (id int);"),
        ]),
    )
    .await;
    assert_eq!(
        rendered(&error),
        "\
migration `2_u` failed at COMMIT: insert or update on table \"u\" violates foreign key constraint \"u_t_fkey\" (23503)
 --> migrations/2_u.sql:1:1
 = note: from the server: Key (t)=(7) is not present in table \"t\".
 = note: its statements ran; what the server checks last, such as a deferred constraint, failed
 = note: `2_u` is rolled back; `1_t` was applied by this run and stays, 2 pending
 = help: mend the migration or the data and start again: the run continues with `2_u`"
    );
    assert_eq!(database.applied().await, ["1_t"]);
    assert_eq!(tables(&database).await, ["t"]);
}

#[tokio::test]
async fn a_migration_that_takes_the_history_table_away_is_undone() {
    // Built at run time: written out, the build would refuse it.
    let text = said("DO $$ BEGIN EXECUTE 'DROP TABLE migr' || 'ations'; END $$;").await;
    assert_eq!(
        text,
        "\
migration `2_x` could not be recorded: relation \"public.migrations\" does not exist (42P01)
 --> migrations/2_x.sql:1:1
 = note: its statements ran; writing its row in the history table did not
 = note: `2_x` is rolled back; nothing else was changed by this run, 1 pending
 = help: mend the migration or the data and start again: the run continues with `2_x`"
    );
}

#[tokio::test]
async fn a_session_that_is_ended_by_an_administrator() {
    let database = TestDatabase::new();
    let gated = format!("CREATE TABLE b (id int);\n{}\n", Gate::PASS);
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", &gated)]);
    let gate = database.gate().await;
    let run = async { failed(&database, &migrations).await };
    let ending = async {
        database.at_gate(1).await;
        database
            .run(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
            )
            .await;
    };
    let (error, ()) = tokio::join!(run, ending);
    assert_eq!(
        rendered(&error),
        "\
migration `2_b` failed: terminating connection due to administrator command (57P01)
 --> migrations/2_b.sql:2:29
  |
2 | SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(1, 1);
  |                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (3 of 3)
  |
  = note: the connection is lost, so the server rolls `2_b` back; `1_a` was applied by this run and stays, 1 pending
  = note: whether the migrations before it survive a crash of the server in this second is not known: connection closed
  = help: start again: the run continues with `2_b`"
    );
    assert_eq!((error.kind(), error.report().unwrap().done().len()), (ErrorKind::Connection, 1));
    gate.open().await;
    apply(&database, &migrations).await;
    assert_eq!(tables(&database).await, ["a", "b"]);
}
