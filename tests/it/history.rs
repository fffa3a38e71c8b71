//! The history table: what it costs to ask it, whose it is, and what people do to it by hand.

mod first_question;
mod names;
mod roles;

use dunlin::{ErrorKind, Migrator, Registry, State};
use dunlin_tests::{Proxy, Recorder, TestDatabase, connect, registry, rendered};

/// So many migrations, each a table.
fn tables(n: usize) -> Registry {
    let files: Vec<_> = (1..=n)
        .map(|n| (format!("{n:04}_t{n}.sql"), format!("CREATE TABLE t{n} (id int);\n")))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    registry(&files)
}

/// Two that can run on what they have made.
fn repeatable() -> Registry {
    registry(&[
        ("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);"),
        (
            "2_b.sql",
            "-- dunlin: no-transaction\nCREATE TABLE IF NOT EXISTS b (id int);\nCREATE TABLE IF NOT EXISTS c (id int);",
        ),
    ])
}

async fn applied(registry: &Registry) -> TestDatabase {
    let database = TestDatabase::new();
    let _report = Migrator::new(registry).apply(database.pool()).await.unwrap();
    database
}

async fn refused(registry: &Registry, database: &TestDatabase) -> String {
    let error = Migrator::new(registry).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History, "{error:#}");
    assert_eq!(error.migration(), None);
    rendered(&error)
}

#[tokio::test]
async fn fresh_migrations_do_not_wait_for_each_other() {
    for n in [1, 20, 200] {
        let database = TestDatabase::new();
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut client = connect(proxy.connection_string()).await;
        let _connecting = proxy.take();
        let report = Migrator::new(&tables(n)).apply(&mut client).await.unwrap();
        assert_eq!(report.done().len(), n);
        let n_round_trips = proxy.take().n_round_trips;
        // The question, the lock, the state, the settings, the table, the migrations, the release.
        assert!(n_round_trips <= 8, "{n_round_trips} round trips for {n} migrations");
    }
}

#[tokio::test]
async fn a_row_that_people_have_edited_never_stops_anyone_from_looking() {
    let migrations = repeatable();
    for sql in [
        "UPDATE migrations SET executed_at = 'infinity'",
        "UPDATE migrations SET executed_at = '-infinity'",
        "UPDATE migrations SET executed_at = '4713-01-01 BC'",
        "UPDATE migrations SET checksum = NULL, kind = NULL, duration_ms = NULL, up_text = NULL",
        "UPDATE migrations SET duration_ms = -5, kind = 'x', applied_by = NULL, application = NULL",
        "UPDATE migrations SET statements = -3, statements_done = -7, statements_begun = -1",
        "UPDATE migrations SET statements = 3, statements_done = NULL, statements_begun = NULL",
        "UPDATE migrations SET id = -id",
        "ALTER TABLE migrations DROP CONSTRAINT migrations_name_key; \
         INSERT INTO migrations (name) SELECT name FROM migrations",
        "ALTER TABLE migrations DROP CONSTRAINT migrations_pkey; ALTER TABLE migrations \
         ALTER id DROP NOT NULL, ALTER executed_at DROP NOT NULL; \
         UPDATE migrations SET id = NULL, executed_at = NULL",
        "ALTER TABLE migrations ALTER executed_at TYPE timestamp",
        "ALTER TABLE migrations ALTER executed_at TYPE date",
        "ALTER TABLE migrations ALTER id TYPE text, ALTER id DROP DEFAULT",
        "ALTER TABLE migrations ADD COLUMN note text NOT NULL DEFAULT 'x'",
    ] {
        let database = applied(&migrations).await;
        database.run(sql).await;
        let status = Migrator::new(&migrations).status(database.pool()).await;
        let status = status.unwrap_or_else(|error| panic!("{sql}: {error:#}"));
        assert_eq!((status.n_pending(), status.drift().len()), (0, 0), "{sql}");
        let report = Migrator::new(&migrations).apply(database.pool()).await;
        assert!(report.unwrap_or_else(|error| panic!("{sql}: {error:#}")).is_noop(), "{sql}");
    }
}

#[tokio::test]
async fn an_odd_name_or_checksum_is_drift_that_is_explained() {
    let migrations = repeatable();
    for (sql, n) in [
        ("UPDATE migrations SET checksum = 'odd'", 2),
        ("UPDATE migrations SET checksum = upper(checksum)", 2),
        ("UPDATE migrations SET checksum = '', up_text = NULL", 2),
        ("UPDATE migrations SET name = '' WHERE name = '1_a'", 1),
        ("UPDATE migrations SET name = E'no\\nversion' WHERE name = '1_a'", 1),
        ("UPDATE migrations SET name = ' 1_a ' WHERE name = '1_a'", 1),
        ("ALTER TABLE migrations ALTER name DROP NOT NULL; UPDATE migrations SET name = NULL", 2),
    ] {
        let database = applied(&migrations).await;
        database.run(sql).await;
        let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
        let text = rendered(&error);
        assert_eq!((error.kind(), error.drift().len()), (ErrorKind::Drift, n), "{sql}: {text}");
    }
}

#[tokio::test]
async fn numbers_of_statements_that_cannot_be_do_no_harm() {
    let migrations = repeatable();
    let database = applied(&migrations).await;
    let numbers = async |done: i32, begun: i32, all: i32| {
        let set =
            format!("statements_done = {done}, statements_begun = {begun}, statements = {all}");
        database.run(&format!("UPDATE migrations SET {set} WHERE name = '2_b'")).await;
        Migrator::new(&migrations).apply(database.pool()).await
    };
    let error = numbers(1, 1_999_999_999, 2_000_000_000).await.unwrap_err();
    assert_eq!(error.migration(), Some("2_b"));
    let text = rendered(&error);
    assert!(text.starts_with("migration `2_b` was cut off in statement 2 of 2\n"), "{text}");
    // One statement of two, and more than there are.
    for (done, all) in [(1, 9), (8, 9)] {
        assert_eq!(numbers(done, done, all).await.unwrap().done().len(), 1);
        assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
    }
}

#[tokio::test]
async fn deleting_a_row_makes_a_migration_pending_and_late() {
    let migrations = repeatable();
    let database = applied(&migrations).await;
    database.run("DELETE FROM migrations WHERE name = '1_a'").await;
    let status = Migrator::new(&migrations).status(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Late), status.count(State::Applied)), (1, 1));
    let recorder = Recorder::default();
    let report =
        Migrator::new(&migrations).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    assert_eq!((report.done()[0].name(), report.n_total()), ("1_a", 2));
    assert_eq!(
        recorder.lines()[0],
        "⚠️  1 pending migration(s) older than the newest applied one: 1_a"
    );
    assert_eq!(database.applied().await, ["2_b", "1_a"]);
}
