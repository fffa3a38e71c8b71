//! Of a file without a transaction: what is done stays, and what is done next.

use dunlin::{ErrorKind, Migrator, Registry};
use dunlin_tests::{Recorder, TestDatabase, registry, rendered};

use super::{apply, failed, tables};

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
