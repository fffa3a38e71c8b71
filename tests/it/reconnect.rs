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

/// The same with their undos.
fn undoable() -> Registry {
    registry(&[
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0001_first.down.sql", "DROP TABLE first;"),
        ("0002_second.sql", "CREATE TABLE second (id int);"),
        ("0002_second.down.sql", "DROP TABLE second; -- the undo of the second"),
        ("0003_third.sql", "CREATE TABLE third (id int);"),
        ("0003_third.down.sql", "DROP TABLE third; -- the undo of the third"),
    ])
}

/// All three applied, behind somebody who cuts the first connection.
async fn applied(cut: Cut) -> (TestDatabase, Cutter) {
    let database = TestDatabase::new();
    let report = Migrator::new(&undoable()).apply(database.pool()).await.unwrap();
    assert_eq!(names(&report), ALL);
    let cutter = Cutter::new(&database.connection_string(), cut, 1).await;
    (database, cutter)
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

/// One back is another one when the first is undone.
#[tokio::test]
async fn an_undo_by_number_undoes_so_many_and_no_more() {
    for (cut, n) in [
        (Cut::BeforeRequest("the undo of the third"), 1),
        (Cut::BeforeAnswer("the undo of the third"), 1),
        (Cut::BeforeRequest("the undo of the second"), 2),
        (Cut::BeforeAnswer("the undo of the second"), 2),
    ] {
        let (database, cutter) = applied(cut).await;
        let recorder = Recorder::default();
        let migrations = undoable();
        let migrator = Migrator::new(&migrations).observer(recorder.clone());
        let report = migrator.roll_back(&pool(&cutter.connection_string()), n).await;
        let report = report.unwrap_or_else(|error| panic!("{cut:?}: {error:#}"));
        assert_eq!(cutter.n_cuts(), 1);
        let undone: Vec<_> = ALL.iter().rev().take(n).copied().collect();
        assert_eq!(names(&report), undone, "{cut:?}: {}", recorder.text());
        assert_eq!(report.n_total(), 3 - n);
        assert_eq!(database.applied().await, ALL[..3 - n], "{cut:?}");
        let said = recorder.text();
        assert!(said.contains("asking on a new connection what became of it"), "{said}");
        database.no_locks().await;
    }
}

/// A client cannot be replaced. To start again is good advice only where it means the same.
#[tokio::test]
async fn an_undo_by_number_that_is_cut_off_is_finished_by_name() {
    let (database, cutter) = applied(Cut::BeforeAnswer("the undo of the third")).await;
    let mut client = dunlin_tests::connect(&cutter.connection_string()).await;
    let migrations = undoable();
    let error = Migrator::new(&migrations).roll_back(&mut client, 1).await.unwrap_err();
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Connection, Some("0003_third")));
    let text = format!("{error:#}");
    assert!(text.contains("undo the rest by name"), "{text}");
    assert!(text.contains("`Migrator::roll_back(.., \"0002_second\")`"), "{text}");
    assert!(!text.contains("start again"), "{text}");
    database.no_locks().await;
    let report = Migrator::new(&migrations).roll_back(database.pool(), "0002_second").await;
    assert_eq!(report.unwrap().n_total(), 2);
    assert_eq!(database.applied().await, ALL[..2]);

    // All of them are all of them, however many are left.
    let (_database, cutter) = applied(Cut::BeforeAnswer("the undo of the third")).await;
    let mut client = dunlin_tests::connect(&cutter.connection_string()).await;
    let error = Migrator::new(&migrations).roll_back(&mut client, 3).await.unwrap_err();
    assert!(format!("{error:#}").contains("start again"), "{error:#}");
}

/// So is one of which a part is undone and the rest refused.
#[tokio::test]
async fn an_undo_by_number_that_fails_in_its_middle_is_finished_by_name() {
    let database = TestDatabase::new();
    let files = [
        ("0001_first.sql", "CREATE TABLE first (id int);"),
        ("0001_first.down.sql", "DROP TABLE first;"),
        ("0002_second.sql", "CREATE TABLE second (id int);"),
        ("0002_second.down.sql", "DROP TABLE nowhere;"),
        ("0003_third.sql", "CREATE TABLE third (id int);"),
        ("0003_third.down.sql", "DROP TABLE third;"),
    ];
    let migrations = registry(&files);
    let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    let error = Migrator::new(&migrations).roll_back(database.pool(), 2).await.unwrap_err();
    assert_eq!(database.applied().await, ALL[..2]);
    let text = format!("{error:#}");
    assert!(text.contains("mend the undo or the data and undo again"), "{text}");
    assert!(text.contains("`Migrator::roll_back(.., \"0001_first\")`"), "{text}");
    // Nothing is undone yet, so that two back are the same two.
    let error = Migrator::new(&migrations).roll_back(database.pool(), 1).await.unwrap_err();
    assert!(!format!("{error:#}").contains("by name"), "{error:#}");
}
