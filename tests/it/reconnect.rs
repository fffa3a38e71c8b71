//! A connection that breaks in the middle of a run on a pool.

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{Recorder, TestDatabase, registry};

/// Ends its own session the first time it runs. What a sequence has counted survives a rollback.
const DIE_ONCE: &str = "CREATE TABLE second (id int);
SELECT pg_terminate_backend(pg_backend_pid()) WHERE nextval('public.lives') = 1;
";

async fn database_with_lives() -> TestDatabase {
    let database = TestDatabase::new();
    database.run("CREATE SEQUENCE lives").await;
    database
}

#[tokio::test]
async fn a_run_on_a_pool_goes_on_with_a_new_connection() {
    let database = database_with_lives().await;
    let migrations = registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0002_second.sql", DIE_ONCE),
        ("0003_third.sql", "CREATE TABLE third (id int);"),
    ]);
    let recorder = Recorder::default();
    let report =
        Migrator::new(&migrations).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    let names: Vec<_> = report.done().iter().map(dunlin::Done::name).collect();
    assert_eq!(names, ["0001_first", "0002_second", "0003_third"]);
    assert_eq!(report.n_total(), 3);
    assert_eq!(database.applied().await, names);
    assert!(
        recorder.text().contains("asking on a new connection what became of it"),
        "{}",
        recorder.text()
    );
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.number(locks).await, 0);
}

#[tokio::test]
async fn what_was_committed_before_the_answer_came_is_counted_and_not_repeated() {
    let database = database_with_lives().await;
    // The trigger ends the session while the transaction of 0002 commits, so its row is not there;
    // the one of 0001 is, although its answer may never have arrived.
    let migrations = registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int); INSERT INTO first VALUES (1);"),
        (
            "0002_second.sql",
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('public.lives') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER die AFTER INSERT ON first DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION die();
             INSERT INTO first VALUES (2);",
        ),
    ]);
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 2);
    assert_eq!(database.number("SELECT count(*) FROM first").await, 2);
    assert_eq!(database.applied().await, ["0001_first", "0002_second"]);
}

#[tokio::test]
async fn a_migration_that_always_breaks_the_connection_ends_the_run() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0002_second.sql", "SELECT pg_terminate_backend(pg_backend_pid());"),
    ]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Connection, Some("0002_second")));
    assert_eq!(error.report().map(|report| report.done().len()), Some(1), "{error:#}");
    assert_eq!(database.applied().await, ["0001_first"]);
}

#[tokio::test]
async fn a_client_cannot_be_replaced_and_the_error_says_what_to_do() {
    let database = database_with_lives().await;
    let migrations = registry(&[("0002_second.sql", DIE_ONCE)]);
    let mut client = database.client().await;
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(format!("{error:#}").contains("start again"), "{error:#}");
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
}
