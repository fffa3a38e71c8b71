//! What is left and what is said when a migration fails.

use std::time::Duration;

use deadpool_postgres::{Manager, Pool, Runtime};
use dunlin::{Error, ErrorKind, Migrator, Registry};
use dunlin_tests::{Gate, Recorder, TestDatabase, pool, registry, rendered};
use tokio_postgres::NoTls;

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

/// The one migration of a database, `1_x`, without a transaction.
fn statements(text: &str) -> Registry {
    registry(&[("1_x.sql", &format!("-- dunlin: no-transaction\n{text}"))])
}

/// What the history table says of it: statements done, begun and all.
async fn progress(database: &TestDatabase) -> Vec<String> {
    database
        .texts(
            "SELECT concat_ws('/', statements_done, statements_begun, statements) FROM migrations",
        )
        .await
}

#[tokio::test]
async fn without_a_transaction_the_second_of_three() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)").await;
    let file = |second: &str| {
        statements(&format!(
            "CREATE TABLE u (id int);\n{second};\nCREATE INDEX CONCURRENTLY i ON t (id);\n"
        ))
    };
    let error = failed(&database, &file("ALTER TABLE t ADD PRIMARY KEY (id)")).await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_x` failed: could not create unique index \"t_pkey\" (23505)
 --> migrations/1_x.sql:3:1
  |
3 | ALTER TABLE t ADD PRIMARY KEY (id);
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 3)
  |
  = note: from the server: Key (id)=(1) is duplicated.
  = note: it runs without a transaction: statement 1 of 3 is done and stays done
  = note: nothing else was changed by this run, except that it created the history table; 1 pending
  = help: mend statement 2 and start again: the run continues there"
    );
    assert_eq!(progress(&database).await, ["1/1/3"]);
    let status = Migrator::new(&file("SELECT 2")).status(database.pool()).await.unwrap();
    assert_eq!((status.n_applied(), status.n_pending()), (0, 1));

    // The first statement would fail if it ran again.
    let recorder = Recorder::default();
    let mended = file("ALTER TABLE t ADD COLUMN n int");
    let _report =
        Migrator::new(&mended).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    assert_eq!(
        recorder.lines()[1..3],
        ["⏳ Running: 1_x", "   ⚠️  Continuing behind 1 completed statement(s)"]
    );
    assert_eq!(progress(&database).await, ["3/3/3"]);
    assert!(Migrator::new(&mended).apply(database.pool()).await.unwrap().is_noop());
    let status = Migrator::new(&mended).verify(database.pool()).await.unwrap();
    assert_eq!((status.n_applied(), status.n_pending()), (1, 0));
}

#[tokio::test]
async fn without_a_transaction_a_completed_statement_may_not_be_edited() {
    let database = TestDatabase::new();
    let bad = statements("CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nDROP TABLE nope;\n");
    let _error = failed(&database, &bad).await;
    let edited =
        statements("CREATE TABLE a (id int);\n\nCREATE TABLE bb (id int);\nDROP TABLE a;\n");
    let error = failed(&database, &edited).await;
    assert_eq!(
        rendered(&error),
        "\
the 2 completed statement(s) of the unfinished migration `1_x` were edited
 --> migrations/1_x.sql:4:1
  |
4 | CREATE TABLE bb (id int);
  | ^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 3)
  |
  = note: nothing was changed; an earlier run completed them as they were
  = help: restore these statements; the ones behind them may be edited"
    );
    assert_eq!(error.kind(), ErrorKind::Drift);
    assert_eq!(progress(&database).await, ["2/2/3"]);
    // Comments and blank lines are no edits.
    let layout =
        "-- A.\nCREATE TABLE a (id int);\n\n/* B. */ CREATE TABLE b (id int);\nDROP TABLE a;\n";
    apply(&database, &statements(layout)).await;
    assert_eq!(tables(&database).await, ["b"]);
}

#[tokio::test]
async fn an_unfinished_migration_may_not_get_a_transaction() {
    let database = TestDatabase::new();
    let _error = failed(&database, &statements("CREATE TABLE a (id int);\nDROP TABLE nope;")).await;
    let whole = registry(&[("1_x.sql", "CREATE TABLE a (id int);")]);
    let error = failed(&database, &whole).await;
    assert_eq!(
        rendered(&error),
        "\
the unfinished migration `1_x` was begun without a transaction, and now has one
 --> migrations/1_x.sql:1:1
 = note: up to statement 1 of 2 it was run and would be run again
 = note: nothing was changed by this run
 = help: restore the line `-- dunlin: no-transaction` to continue behind what is done
 = help: or undo by hand what is done, and begin anew: DELETE FROM \"public\".\"migrations\" WHERE name = E'1_x'; then start again"
    );
    database.run("DROP TABLE a; DELETE FROM \"public\".\"migrations\" WHERE name = E'1_x'").await;
    apply(&database, &whole).await;
    assert_eq!(tables(&database).await, ["a"]);
}

#[tokio::test]
async fn a_migration_of_which_nothing_is_done_may_get_a_transaction() {
    let database = TestDatabase::new();
    let _error = failed(&database, &statements("DROP TABLE nope;\nCREATE TABLE a (id int);")).await;
    assert_eq!(progress(&database).await, ["0/0/2"]);
    let whole = registry(&[("1_x.sql", "CREATE TABLE a (id int);")]);
    apply(&database, &whole).await;
    assert_eq!(tables(&database).await, ["a"]);
    let row = database
        .texts("SELECT concat_ws('/', kind, statements, statements_done) FROM migrations")
        .await;
    assert_eq!(row, ["sql"]);
    assert!(Migrator::new(&whole).apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn an_invalid_index_is_built_again() {
    for condition in ["", "IF NOT EXISTS "] {
        let database = TestDatabase::new();
        database.run("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)").await;
        let index =
            statements(&format!("CREATE UNIQUE INDEX CONCURRENTLY {condition}i ON t (id);"));
        let error = failed(&database, &index).await;
        assert_eq!(error.code().unwrap().code(), "23505");
        let valid = "SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('i')";
        assert_eq!(database.texts(valid).await, ["false"]);

        database.run("DELETE FROM t").await;
        let recorder = Recorder::default();
        let _report =
            Migrator::new(&index).observer(recorder.clone()).apply(database.pool()).await.unwrap();
        assert_eq!(database.texts(valid).await, ["true"]);
        assert_eq!(
            recorder.lines()[2],
            "   ✅ Dropped the invalid index \"public\".\"i\" that an interrupted run had left"
        );
    }
}

#[tokio::test]
async fn a_statement_that_was_cut_off_is_not_repeated_silently() {
    let database = TestDatabase::new();
    let text = "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREATE TABLE b (id int);\n";
    let bad = text.replace("CREATE TABLE b (id int)", "DROP TABLE nope");
    let _error = failed(&database, &statements(&bad)).await;
    let cut_off = "UPDATE migrations SET statements_done = 1, statements_begun = 2, statements = 3";
    database.run(cut_off).await;
    let error = failed(&database, &statements(text)).await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_x` was cut off in statement 2 of 3
 --> migrations/1_x.sql:3:1
  |
3 | INSERT INTO a VALUES (1);
  | ^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 3)
  |
  = note: statement 1 of 3 is done and stays done; whether this one took effect cannot be told from here
  = note: nothing was changed by this run
  = help: look. If it took effect: UPDATE \"public\".\"migrations\" SET statements_done = 2 WHERE name = E'1_x';
  = help: if it did not: UPDATE \"public\".\"migrations\" SET statements_begun = 1 WHERE name = E'1_x'; then start again"
    );
    // Both ways on, as they are written there.
    for (line, n_rows) in [("If it took effect: ", 1), ("if it did not: ", 2)] {
        database.run("DROP TABLE IF EXISTS b").await;
        database.run(cut_off).await;
        let text_of_error = rendered(&failed(&database, &statements(text)).await);
        let statement = text_of_error.split_once(line).unwrap().1.split_once(';').unwrap().0;
        database.run(statement).await;
        apply(&database, &statements(text)).await;
        assert_eq!(database.number("SELECT count(*) FROM a").await, n_rows);
        assert_eq!(tables(&database).await, ["a", "b"]);
    }
}

#[tokio::test]
async fn without_a_transaction_a_session_that_is_ended() {
    let database = TestDatabase::new();
    let file =
        statements("CREATE TABLE a (id int);\nSELECT pg_terminate_backend(pg_backend_pid());\n");
    let error = failed(&database, &file).await;
    assert_eq!(
        rendered(&error),
        "\
the connection broke during migration `1_x`: terminating connection due to administrator command (57P01)
 --> migrations/1_x.sql:3:1
  |
3 | SELECT pg_terminate_backend(pg_backend_pid());
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: it runs without a transaction: statement 1 of 2 is done and stays done
  = note: statement 2 and its record were committed together or not at all; from here that cannot be told
  = help: start again: the run asks the history table first and does nothing twice"
    );
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(progress(&database).await, ["1/1/2"]);
    // The next run begins with the second statement, which ends that session too.
    let error = failed(&database, &file).await;
    assert_eq!(error.kind(), ErrorKind::Connection);
}

/// A procedure may commit in between, so it cannot be one transaction with its record.
#[tokio::test]
async fn without_a_transaction_a_session_that_is_ended_in_a_procedure() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE PROCEDURE ends() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE b (id int); COMMIT; \
             PERFORM pg_terminate_backend(pg_backend_pid()); END $$",
        )
        .await;
    let file = statements("CREATE TABLE a (id int);\nCALL ends();\n");
    let error = failed(&database, &file).await;
    let text = rendered(&error);
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(text.contains("whether statement 2 took effect cannot be told from here"), "{text}");
    assert_eq!(progress(&database).await, ["1/2/2"]);
    let error = failed(&database, &file).await;
    assert_eq!(error.to_string(), "migration `1_x` was cut off in statement 2 of 2");
    assert_eq!(tables(&database).await, ["a", "b"]);
}

#[tokio::test]
async fn no_server_no_database_no_role() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let there = database.connection_string();
    let name = there.rsplit_once("dbname=").unwrap().1.to_owned();
    for (connection_string, headline, help) in [
        (
            "host=/nowhere/at/all user=u dbname=d".to_owned(),
            "no connection to the database: error connecting to server: No such file or directory (os error 2)",
            "check that the server runs and that host, port, user, password and database are right",
        ),
        (
            there.replace(&name, "nonesuch"),
            "no connection to the database: database \"nonesuch\" does not exist (3D000)",
            "create the database, or correct its name in the connection string",
        ),
        (
            there.replace("user=postgres", "user=nobody_here"),
            "no connection to the database: role \"nobody_here\" does not exist (28000)",
            "create the role, correct it in the connection string, or let it in in `pg_hba.conf`",
        ),
    ] {
        let error = Migrator::new(&migrations).apply(&pool(&connection_string)).await.unwrap_err();
        assert_eq!(
            rendered(&error),
            format!("{headline}\n  = note: nothing was changed\n  = help: {help}")
        );
        assert_eq!(error.kind(), ErrorKind::Connection);
    }
}

#[tokio::test]
async fn a_pool_that_has_no_connection_to_lend() {
    let database = TestDatabase::new();
    let manager = Manager::new(database.connection_string().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager)
        .max_size(1)
        .wait_timeout(Some(Duration::from_millis(1)))
        .runtime(Runtime::Tokio1)
        .build()
        .unwrap();
    let lent = pool.get().await.unwrap();
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let error = Migrator::new(&migrations).apply(&pool).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
no connection to the database: the pool had none to lend in time
  = note: nothing was changed
  = help: give the pool more connections or more time; a run needs one"
    );
    drop(lent);
    assert_eq!(Migrator::new(&migrations).apply(&pool).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_closed_already() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    let ending = client.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(ending.is_err());
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
asking the server where we are: connection closed
  = note: nothing was changed by this run
  = help: connect again and start again"
    );
    assert_eq!(error.kind(), ErrorKind::Connection);
}
