//! Migrations in Rust: what they may ask, what they may not do, and what becomes of their mistakes.

use dunlin::{Error, ErrorKind, Migrator, Registry, Report};
use dunlin_tests::{Function, Functions, Recorder, TestDatabase, pool_of, registry_with, rendered};

/// A build with files: `1_a` and `3_c` in SQL, and between them `2_b` in Rust.
static FILES: Registry = dunlin::embed_migrations!("fixtures/rust");

/// A build with one migration in Rust, `1_r`.
fn one(up: Function) -> Registry {
    registry_with(&[], &[Functions { name: "1_r", up, down: None }])
}

async fn run(database: &TestDatabase, up: Function) -> Result<Report, Error> {
    Migrator::new(&one(up)).apply(database.pool()).await
}

/// What a function that must fail says.
async fn failed(database: &TestDatabase, up: Function) -> Error {
    let error = run(database, up).await.unwrap_err();
    assert_eq!(error.migration(), Some("1_r"));
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, 0);
    assert_eq!(database.n_locks().await, 0);
    error
}

/// Runs what contains its own assertions.
async fn holds(before: &str, up: Function) {
    let database = TestDatabase::new();
    database.run(before).await;
    let report = run(&database, up).await.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(report.done().len(), 1);
}

#[tokio::test]
async fn files_are_applied_and_undone_each_in_its_way() {
    let database = TestDatabase::new();
    let recorder = Recorder::default();
    let migrator = Migrator::new(&FILES).observer(recorder.clone());
    let _report = migrator.apply_to(database.pool(), "1").await.unwrap();
    database.run("INSERT INTO users VALUES (1, 'a@b.c'), (2, NULL), (3, NULL)").await;
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 2);
    let emails = "SELECT coalesce(email, '') FROM users ORDER BY id";
    assert_eq!(database.texts(emails).await, ["a@b.c", "2@example.org", "3@example.org"]);
    let lines = recorder.lines();
    let at = lines.iter().position(|line| line == "⏳ Running: 2_backfill").unwrap();
    assert_eq!(
        lines[at + 1..at + 4],
        ["   ✅ Filled 2 addresses", "✅ Completed: 2_backfill", "⏳ Running: 3_index"]
    );
    let rows = database
        .texts("SELECT concat_ws(' ', kind, down_text IS NOT NULL) FROM migrations ORDER BY id")
        .await;
    assert_eq!(rows, ["sql t", "rust t", "rust f"]);
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());

    let report = migrator.roll_back(database.pool(), 2).await.unwrap();
    let names: Vec<_> = report.done().iter().map(dunlin::Done::name).collect();
    assert_eq!(names, ["3_index", "2_backfill"]);
    assert!(recorder.lines().contains(&"   ✅ Dropping the index".to_owned()));
    assert_eq!(database.texts(emails).await, ["a@b.c", "", ""]);
    assert_eq!(
        database.number("SELECT count(*) FROM pg_indexes WHERE indexname = 'users_email'").await,
        0
    );
}

#[tokio::test]
async fn tables_are_found_by_schema_search_path_and_spelling() {
    holds(
        "CREATE SCHEMA app; CREATE SCHEMA \"Odd.One\"; CREATE TABLE app.users (id int); \
         CREATE TABLE public.\"Order Lines\" (id int); CREATE TABLE \"Odd.One\".\"a\"\"b\" (id int); \
         CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1; CREATE SEQUENCE s; \
         CREATE TYPE c AS (a int); CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE größe (id int); \
         CREATE FOREIGN DATA WRAPPER w; CREATE SERVER x FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id int) SERVER x",
        |cx| {
            Box::pin(async {
                for (table, exists) in [
                    ("app.users", true),
                    ("APP.Users", true),
                    (" app . users ", true),
                    ("users", false),
                    ("public.users", false),
                    ("nowhere.users", false),
                    ("\"app\".\"users\"", true),
                    ("\"App\".users", false),
                    ("\"Order Lines\"", true),
                    ("\"order lines\"", false),
                    ("\"Odd.One\".\"a\"\"b\"", true),
                    ("größe", true),
                    ("p", true),
                    ("f", true),
                    ("v", false),
                    ("m", false),
                    ("s", false),
                    ("c", false),
                    ("pg_class", true),
                ] {
                    assert_eq!(cx.table_exists(table).await?, exists, "{table}");
                }
                cx.batch_execute("SET LOCAL search_path = app").await?;
                assert!(cx.table_exists("users").await?);
                assert!(!cx.table_exists("p").await?);
                cx.batch_execute("CREATE TABLE fresh (id int)").await?;
                assert!(cx.table_exists("fresh").await?);
                cx.batch_execute("DROP TABLE fresh").await?;
                assert!(!cx.table_exists("fresh").await?);
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test]
async fn columns_and_constraints_belong_to_their_table() {
    holds(
        "CREATE TABLE a (id int PRIMARY KEY, \"Mixed\" int, \"a.b\" int, gone int, CONSTRAINT \"Odd One\" CHECK (id > 0)); \
         ALTER TABLE a DROP COLUMN gone; CREATE TABLE b (id int, other int REFERENCES a); \
         ALTER TABLE b ADD CONSTRAINT late CHECK (id > 0) NOT VALID; CREATE VIEW v AS SELECT id AS x FROM a",
        |cx| {
            Box::pin(async {
                for (table, column, exists) in [
                    ("a", "id", true),
                    ("a", "ID", true),
                    ("a", "Mixed", false),
                    ("a", "\"Mixed\"", true),
                    ("a", "\"a.b\"", true),
                    ("a", "gone", false),
                    ("a", "\"........pg.dropped.4........\"", false),
                    ("a", "other", false),
                    ("a", "ctid", false),
                    ("public.b", "other", true),
                    ("v", "x", true),
                    ("nope", "id", false),
                ] {
                    assert_eq!(cx.column_exists(table, column).await?, exists, "{table} {column}");
                }
                for (table, constraint, exists) in [
                    ("a", "a_pkey", true),
                    ("b", "a_pkey", false),
                    ("a", "\"Odd One\"", true),
                    ("b", "b_other_fkey", true),
                    ("b", "late", true),
                    ("nope", "late", false),
                ] {
                    assert_eq!(cx.constraint_exists(table, constraint).await?, exists, "{constraint}");
                }
                let error = cx.column_exists("a", "a.id").await.unwrap_err();
                assert_eq!(error.to_string(), "`a.id` names more than a part of a table");
                // That was no error of the server, so the transaction goes on.
                assert!(cx.column_exists("a", "id").await?);
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test]
async fn an_index_counts_only_when_queries_can_use_it() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1); CREATE INDEX valid ON t (id); \
             CREATE SCHEMA app; CREATE TABLE app.t (id int); CREATE INDEX \"In App\" ON app.t (id)",
        )
        .await;
    let client = database.client().await;
    let invalid = client.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (id)").await;
    assert!(invalid.is_err());
    let asking: Function = |cx| {
        Box::pin(async {
            for (index, exists) in [
                ("valid", true),
                ("public.valid", true),
                ("broken", false),
                ("t", false),
                ("\"In App\"", false),
                ("app.\"In App\"", true),
                ("nope", false),
            ] {
                assert_eq!(cx.index_exists(index).await?, exists, "{index}");
            }
            Ok(())
        })
    };
    assert_eq!(run(&database, asking).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_text_that_is_no_name_is_an_error() {
    let database = TestDatabase::new();
    let error = failed(&database, |cx| {
        Box::pin(async {
            let _exists = cx.table_exists("users; DROP TABLE users").await?;
            Ok(())
        })
    })
    .await;
    assert_eq!(error.code().unwrap().code(), "22023", "{error:#}");
    assert!(error.to_string().contains("not a valid identifier"), "{error}");
}

#[tokio::test]
async fn statements_take_parameters() {
    holds("CREATE TABLE t (id int, name text)", |cx| {
        Box::pin(async {
            let n =
                cx.execute("INSERT INTO t VALUES ($1, $2), (2, NULL)", &[&1i32, &"it's"]).await?;
            assert_eq!(n, 2);
            let rows = cx.query("SELECT name FROM t WHERE id < $1 ORDER BY id", &[&9i32]).await?;
            let names: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(names, [Some("it's".to_owned()), None]);
            assert_eq!(cx.query_one("SELECT count(*) FROM t", &[]).await?.get::<_, i64>(0), 2);
            assert!(cx.query_opt("SELECT 1 FROM t WHERE id = $1", &[&3i32]).await?.is_none());
            assert_eq!(cx.migration(), "1_r");
            let error = cx.query_one("SELECT 1 FROM t", &[]).await.unwrap_err();
            assert!(error.to_string().contains("unexpected number of rows"), "{error}");
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn an_error_names_file_statement_and_state() {
    let database = TestDatabase::new();
    let error = failed(&database, |cx| {
        Box::pin(async {
            cx.batch_execute("CREATE TABLE a (id int); /* ; */ INSERT INTO a VALUES (1);\nALTER TABLE nope\n ADD x int;").await?;
            Ok(())
        })
    })
    .await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_r` failed: relation \"nope\" does not exist (42P01)
 --> migrations/1_r.rs:1:1
 = note: in the statement: ALTER TABLE nope …
 = note: `1_r` is rolled back; nothing else was changed by this run, except that it created the history table; 1 pending
 = help: mend the migration or the data and start again: the run continues with `1_r`"
    );
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'a'").await, 0);

    let error = failed(&database, |cx| {
        Box::pin(async { cx.batch_execute("SELECT 'é';\nCREATE TABEL b (id int)").await })
    })
    .await;
    assert!(
        rendered(&error).contains("\n = note: in the statement: CREATE TABEL b (id int)\n"),
        "{error:#}"
    );

    let error =
        failed(&database, |_cx| Box::pin(async { Err(Error::custom("3 requests have no owner")) }))
            .await;
    assert_eq!(error.to_string(), "migration `1_r` failed: 3 requests have no owner");
    assert_eq!(error.location().unwrap().0, "migrations/1_r.rs");
}

#[tokio::test]
async fn transaction_control_is_refused() {
    const STATEMENTS: [&str; 9] = [
        "COMMIT",
        "  begin;",
        "SELECT 1; /* x */ ROLLBACK",
        "END",
        "ABORT AND CHAIN",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "PREPARE TRANSACTION 'x'",
        "COMMIT AND CHAIN",
        "SELECT ';'; END TRANSACTION",
    ];
    holds("CREATE TABLE t (id int)", |cx| {
        Box::pin(async {
            for statement in STATEMENTS {
                for error in [
                    cx.batch_execute(statement).await.unwrap_err(),
                    cx.execute(statement, &[]).await.unwrap_err(),
                    cx.query(statement, &[]).await.unwrap_err(),
                ] {
                    let text = error.to_string();
                    assert!(text.ends_with("` inside the transaction of a migration"), "{text}");
                }
            }
            // Parts of the transaction are the migration's own, and words in strings are no statements.
            cx.batch_execute("SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO s; RELEASE s; SELECT 'COMMIT; '").await?;
            cx.batch_execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END").await?;
            assert!(cx.query("TABLE t", &[]).await?.is_empty());
            Ok(())
        })
    })
    .await;
    let database = TestDatabase::new();
    let error =
        failed(&database, |cx| Box::pin(async { cx.batch_execute("SELECT 1; COMMIT").await }))
            .await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_r` failed: `COMMIT` inside the transaction of a migration
 --> migrations/1_r.rs:1:1
 = note: the migration and its row in the history table are one transaction, which Dunlin begins and ends
 = note: `1_r` is rolled back; nothing else was changed by this run, except that it created the history table; 1 pending
 = help: return an error to undo everything; use SAVEPOINT for a part
 = help: mend the migration or the data and start again: the run continues with `1_r`"
    );
}

#[tokio::test]
async fn transaction_control_inside_a_procedure_is_refused_by_the_server() {
    let database = TestDatabase::new();
    database.run("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$").await;
    let functions: [Function; 2] = [
        |cx| Box::pin(async { cx.batch_execute("CALL p()").await }),
        |cx| Box::pin(async { cx.batch_execute("DO $$ BEGIN ROLLBACK; END $$").await }),
    ];
    for up in functions {
        let error = failed(&database, up).await;
        assert_eq!(error.code().unwrap().code(), "2D000", "{error:#}");
    }
}

#[tokio::test]
async fn copying_from_or_to_the_client_is_refused_and_does_not_hang() {
    holds("CREATE TABLE t (id int)", |cx| {
        Box::pin(async {
            for statement in ["COPY t FROM STDIN", "SELECT 1; COPY t TO STDOUT"] {
                let error = cx.batch_execute(statement).await.unwrap_err();
                assert_eq!(error.to_string(), "`COPY` from or to the client inside a migration");
            }
            assert!(cx.table_exists("t").await?);
            Ok(())
        })
    })
    .await;
}

#[tokio::test]
async fn an_error_that_is_swallowed_is_still_an_error() {
    let database = TestDatabase::new();
    let error = failed(&database, |cx| {
        Box::pin(async {
            let swallowed = cx.batch_execute("SELECT nope").await;
            assert!(swallowed.is_err());
            Ok(())
        })
    })
    .await;
    assert_eq!(
        rendered(&error),
        "\
migration `1_r` failed: current transaction is aborted, commands ignored until end of transaction block (25P02)
 --> migrations/1_r.rs:1:1
 = note: one of its statements failed before, and it did not return that error
 = note: `1_r` is rolled back; nothing else was changed by this run, except that it created the history table; 1 pending
 = help: return the error with `?`; let a statement that may fail do so behind a SAVEPOINT
 = help: mend the migration or the data and start again: the run continues with `1_r`"
    );
}

/// The lexer reads strings as the standard says; a session can be told to read them otherwise.
async fn sneak(database: &TestDatabase, up: Function) -> String {
    let error = failed(database, up).await;
    assert_eq!(error.kind(), ErrorKind::Migration);
    rendered(&error)
}

#[tokio::test]
async fn a_migration_that_ends_its_transaction_all_the_same_is_found_out() {
    let database = TestDatabase::new();
    let text = sneak(&database, |cx| {
        Box::pin(async {
            cx.batch_execute("CREATE TABLE a (id int); SET standard_conforming_strings = off")
                .await?;
            cx.batch_execute("SELECT 'a\\'' ; COMMIT; --'").await
        })
    })
    .await;
    assert_eq!(
        text,
        "\
migration `1_r` ended its own transaction
 --> migrations/1_r.rs:1:1
 = note: what it did before that is committed, and the history table does not know of it; nothing else was changed by this run, except that it created the history table; 1 pending
 = help: remove COMMIT and ROLLBACK from it, look what it has left behind, and start again"
    );
    assert_eq!(database.number("SELECT count(*) FROM a").await, 0);
    let text = sneak(&database, |cx| {
        Box::pin(async {
            cx.batch_execute("CREATE TABLE b (id int); SET standard_conforming_strings = off")
                .await?;
            cx.batch_execute("SELECT 'a\\'' ; ROLLBACK; --'").await
        })
    })
    .await;
    assert!(text.contains("= note: what it did before that is aborted, and"), "{text}");
}

#[tokio::test]
async fn a_panic_leaves_nothing_behind() {
    let database = TestDatabase::new();
    let pool = pool_of(1, &database.connection_string());
    let panicking = one(|cx| {
        Box::pin(async {
            cx.batch_execute("CREATE TABLE a (id int); SET search_path = pg_catalog").await?;
            panic!("a mistake in a migration")
        })
    });
    let running = {
        let pool = pool.clone();
        tokio::spawn(async move { Migrator::new(&panicking).apply(&pool).await.map(|_| ()) })
    };
    assert!(running.await.unwrap_err().is_panic());
    database.no_locks().await;
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'a'").await, 0);
    let mended = one(|cx| Box::pin(async { cx.batch_execute("CREATE TABLE a (id int)").await }));
    assert_eq!(Migrator::new(&mended).apply(&pool).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_inside_is_told_from_a_mistake() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    let ending = one(|cx| {
        Box::pin(async { cx.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())").await })
    });
    let error = Migrator::new(&ending).apply(&mut client).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
migration `1_r` failed: terminating connection due to administrator command (57P01)
 --> migrations/1_r.rs:1:1
 = note: in the statement: SELECT pg_terminate_backend(pg_backend_pid())
 = note: the connection is lost, so the server rolls `1_r` back; nothing else was changed by this run, except that it created the history table; 1 pending
 = help: start again: the run continues with `1_r`"
    );
    assert_eq!(error.kind(), ErrorKind::Connection);
}
