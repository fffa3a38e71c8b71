//! A connection that breaks in the middle of a run.

use dunlin::{ErrorKind, Migrator, Registry, Report};
use dunlin_tests::{Cut, Cutter, Recorder, TestDatabase, pool, registry};

fn three() -> Registry {
    registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0002_second.sql", "CREATE TABLE second (id int); -- the text of the second"),
        ("0003_third.sql", "CREATE TABLE third (id int);"),
    ])
}

fn names(report: &Report) -> Vec<&str> {
    report.done().iter().map(dunlin::Done::name).collect()
}

const ALL: [&str; 3] = ["0001_first", "0002_second", "0003_third"];

/// A run whose first connection breaks must end as one whose connection does not.
async fn survives(cut: Cut) -> String {
    let database = TestDatabase::new();
    let cutter = Cutter::new(&database.connection_string(), cut, 1).await;
    let recorder = Recorder::default();
    let pool = pool(&cutter.connection_string());
    let report = Migrator::new(&three()).observer(recorder.clone()).apply(&pool).await;
    let report = report.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(cutter.n_cuts(), 1);
    assert_eq!(names(&report), ALL, "{}", recorder.text());
    assert_eq!(report.n_total(), 3);
    assert_eq!(database.applied().await, ALL);
    database.no_locks().await;
    recorder.text()
}

#[tokio::test]
async fn before_a_migration_reaches_the_server() {
    let said = survives(Cut::BeforeRequest("the text of the second")).await;
    assert!(said.contains("asking on a new connection what became of it"), "{said}");
}

#[tokio::test]
async fn before_the_answer_to_commits_reaches_us() {
    let said = survives(Cut::BeforeAnswer("the text of the second")).await;
    assert!(said.contains("asking on a new connection what became of it"), "{said}");
}

#[tokio::test]
async fn what_breaks_again_and_again_ends_the_run() {
    let database = TestDatabase::new();
    let cutter = Cutter::new(
        &database.connection_string(),
        Cut::BeforeRequest("the text of the second"),
        usize::MAX,
    )
    .await;
    let error =
        Migrator::new(&three()).apply(&pool(&cutter.connection_string())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:#}");
    assert!(cutter.n_cuts() > 1);
    let report = Migrator::new(&three()).apply(database.pool()).await.unwrap();
    assert_eq!(report.n_total(), 3);
    assert_eq!(database.applied().await, ALL);
}

#[tokio::test]
async fn a_client_cannot_be_replaced_and_the_error_says_what_to_do() {
    let database = TestDatabase::new();
    let cutter =
        Cutter::new(&database.connection_string(), Cut::BeforeAnswer("the text of the second"), 1)
            .await;
    let mut client = dunlin_tests::connect(&cutter.connection_string()).await;
    let error = Migrator::new(&three()).apply(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(format!("{error:#}").contains("start again"), "{error:#}");
    database.no_locks().await;
    let report = Migrator::new(&three()).apply(database.pool()).await.unwrap();
    assert_eq!(report.n_total(), 3);
    assert_eq!(database.applied().await, ALL);
}

#[tokio::test]
async fn a_session_that_an_administrator_ended_is_not_replaced() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0002_second.sql", "SELECT pg_terminate_backend(pg_backend_pid());"),
    ]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Connection, Some("0002_second")));
    assert_eq!(error.report().map(names), Some(vec!["0001_first"]), "{error:#}");
    assert_eq!(database.applied().await, ["0001_first"]);
}
