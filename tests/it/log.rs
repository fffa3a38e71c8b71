//! The log beside the history: every attempt, by whom, and how it ended.

use std::time::Duration;

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{Functions, Recorder, TestDatabase, registry, registry_with};

/// What the log says, without what differs from run to run.
async fn entries(database: &TestDatabase) -> Vec<String> {
    let question =
        "SELECT concat_ws(' ', action, outcome, name, message) FROM migrations_log ORDER BY id";
    database.texts(question).await
}

#[tokio::test]
async fn what_was_applied_and_undone_stands_in_it() {
    let database = TestDatabase::new();
    let migrations = registry_with(
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("1_a.down.sql", "DROP TABLE a;"),
            (
                "2_b.sql",
                "-- dunlin: no-transaction\nCREATE TABLE b (id int); CREATE INDEX CONCURRENTLY ON b (id);",
            ),
            ("2_b.down.sql", "-- dunlin: no-transaction\nDROP TABLE b;"),
        ],
        &[Functions {
            name: "3_c",
            up: |cx| Box::pin(async { cx.batch_execute("CREATE TABLE c (id int)").await }),
            down: Some(|cx| Box::pin(async { cx.batch_execute("DROP TABLE c").await })),
        }],
    );
    let migrator = Migrator::new(&migrations).build("1.2.3 (abc)");
    let _report = migrator.apply(database.pool()).await.unwrap();
    let _report = migrator.roll_back(database.pool(), 3).await.unwrap();
    assert_eq!(
        entries(&database).await,
        [
            "apply done 1_a",
            "apply done 2_b",
            "apply done 3_c",
            "undo done 3_c",
            "undo done 2_b",
            "undo done 1_a"
        ]
    );
    let whole = "SELECT count(*) FROM migrations_log WHERE actor = session_user AND role = current_user \
         AND build = '1.2.3 (abc)' AND pid > 0 AND transaction_id::numeric > 0 AND duration_ms >= 0 \
         AND server_version = current_setting('server_version') AND database = current_database() \
         AND system = (SELECT system_identifier::text FROM pg_control_system()) \
         AND at BETWEEN now() - interval '1 hour' AND clock_timestamp()";
    assert_eq!(database.number(whole).await, 6);
    // The transaction is that of the migration itself.
    let status = "SELECT DISTINCT pg_xact_status(transaction_id::xid8) FROM migrations_log";
    assert_eq!(database.texts(status).await, ["committed"]);
    let checksum = migrations.iter().next().unwrap().checksum().to_string();
    let recorded = "SELECT DISTINCT checksum FROM migrations_log WHERE name = '1_a'";
    assert_eq!(database.texts(recorded).await, [checksum]);
}

#[tokio::test]
async fn what_failed_stands_in_it() {
    let database = TestDatabase::new();
    let failing = registry(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_b.sql", "SELECT 1/0;")]);
    let _error = Migrator::new(&failing).apply(database.pool()).await.unwrap_err();
    let failing = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "-- dunlin: no-transaction\nSET ROLE pg_monitor; SELECT 1/0;"),
    ]);
    let _error = Migrator::new(&failing).apply(database.pool()).await.unwrap_err();
    let failing = registry_with(
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "-- dunlin: no-transaction\nSET ROLE pg_monitor; SELECT 1;"),
        ],
        &[Functions {
            name: "3_c",
            up: |_| Box::pin(async { Err(dunlin::Error::custom("3 rows without an owner")) }),
            down: None,
        }],
    );
    let error = Migrator::new(&failing).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert_eq!(
        entries(&database).await,
        [
            "apply done 1_a",
            "apply failed 2_b migration `2_b` failed: division by zero (22012)",
            "apply failed 2_b migration `2_b` failed: division by zero (22012)",
            "apply done 2_b",
            "apply failed 3_c migration `3_c` failed: 3 rows without an owner",
        ]
    );
}

#[tokio::test]
async fn each_try_for_a_lock_stands_in_it() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let blocker = database.client().await;
    blocker.batch_execute("BEGIN; LOCK TABLE busy").await.unwrap();
    let migrations = registry(&[("1_a.sql", "ALTER TABLE busy ADD COLUMN x int;")]);
    let migrator = Migrator::new(&migrations)
        .lock_timeout(Duration::from_millis(20))
        .lock_retries(Duration::from_millis(300));
    let error = migrator.apply(database.pool()).await.unwrap_err();
    let entries = entries(&database).await;
    let n_retried = entries.iter().filter(|entry| entry.starts_with("apply retried 1_a ")).count();
    assert!(n_retried >= 1 && n_retried == entries.len() - 1, "{entries:#?}");
    assert_eq!(entries.last().unwrap(), &format!("apply failed 1_a {error}"));
}

#[tokio::test]
async fn it_may_have_another_name_or_none() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let _report =
        Migrator::new(&migrations).log_table("audit").apply(database.pool()).await.unwrap();
    assert_eq!(database.texts("SELECT name FROM audit").await, ["1_a"]);
    let other = Migrator::new(&migrations).history_table("other").without_log();
    database.run("DROP TABLE a").await;
    let _report = other.apply(database.pool()).await.unwrap();
    assert_eq!(
        database.number("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_log'").await,
        0
    );
}

#[tokio::test]
async fn a_table_of_somebody_else_is_not_written_to() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE migrations_log (id serial, name text)").await;
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History);
    let text = format!("{error:#}");
    assert!(text.contains("is not the log") && text.contains("without_log"), "{text}");
    assert_eq!(
        database.number("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'migrations')").await,
        0
    );
}

#[tokio::test]
async fn a_history_without_one_gets_one_where_the_role_may_create_it() {
    let database = TestDatabase::new();
    let first = [("1_a.sql", "CREATE TABLE a (id int);")];
    let second = [first[0], ("2_b.sql", "INSERT INTO a VALUES (1);")];
    let third = [first[0], second[1], ("3_c.sql", "INSERT INTO a VALUES (2);")];
    let first = registry(&first);
    let _report = Migrator::new(&first).without_log().apply(database.pool()).await.unwrap();
    let role = format!("{}_role", database.texts("SELECT current_database()::text").await[0]);
    database
        .run(&format!(
            "CREATE ROLE {role}; GRANT ALL ON migrations, a TO {role}; GRANT ALL ON SEQUENCE migrations_id_seq TO {role}; \
             REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ))
        .await;
    let mut client = database.client().await;
    client.batch_execute(&format!("SET ROLE {role}")).await.unwrap();
    let _report = Migrator::new(&registry(&second)).apply(&mut client).await.unwrap();
    assert_eq!(
        database.number("SELECT count(*) FROM pg_class WHERE relname = 'migrations_log'").await,
        0
    );
    let _report = Migrator::new(&registry(&third)).apply(database.pool()).await.unwrap();
    assert_eq!(entries(&database).await, ["apply done 3_c"]);
}

#[tokio::test]
async fn a_copied_database_is_noticed() {
    let database = TestDatabase::new();
    let first = [("1_a.sql", "CREATE TABLE a (id int);")];
    let second = [first[0], ("2_b.sql", "CREATE TABLE b (id int);")];
    let _report = Migrator::new(&registry(&first)).apply(database.pool()).await.unwrap();
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    database.run("UPDATE migrations_log SET database = 'production'").await;
    let second = registry(&second);
    let recorder = Recorder::default();
    let _report =
        Migrator::new(&second).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    let expected =
        format!("⚠️  The history was last written in database production; this is {name}");
    assert!(recorder.lines().contains(&expected), "{}", recorder.text());
    // From now on it is written here.
    let recorder = Recorder::default();
    let migrator = Migrator::new(&second).observer(recorder.clone());
    database.run("DELETE FROM migrations WHERE name = '2_b'; DROP TABLE b").await;
    let _report = migrator.apply(database.pool()).await.unwrap();
    assert!(!recorder.text().contains("last written"), "{}", recorder.text());
}
