//! What is refused and what is told, and by whose choice.

use std::time::Duration;

use dunlin::{AheadPolicy, ErrorKind, Migrator, Policy};
use dunlin_tests::{Recorder, TestDatabase, registry};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");
const BREAKING: (&str, &str) = ("3_c.sql", "-- dunlin: breaking\nALTER TABLE a DROP COLUMN id;");

/// A run of an older build, and what it told.
async fn older(
    database: &TestDatabase,
    policy: AheadPolicy,
) -> (dunlin::Result<dunlin::Report>, String) {
    let migrations = registry(&[A]);
    let recorder = Recorder::default();
    let migrator = Migrator::new(&migrations).on_ahead(policy).observer(recorder.clone());
    let result = migrator.apply(database.pool()).await;
    (result, recorder.text())
}

#[tokio::test]
async fn an_older_build_runs_unless_something_newer_is_breaking() {
    let database = TestDatabase::new();
    let _report = Migrator::new(&registry(&[A, B])).apply(database.pool()).await.unwrap();
    let (result, told) = older(&database, AheadPolicy::Compatible).await;
    assert!(result.unwrap().is_noop());
    assert!(told.contains("ahead of this build by 1 migration(s): 2_b"), "{told}");
    let (result, _) = older(&database, AheadPolicy::Refuse).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ahead);
    assert_eq!(
        error.to_string(),
        "the database has `2_b`, which is newer than everything in this build"
    );

    let _report = Migrator::new(&registry(&[A, B, BREAKING])).apply(database.pool()).await.unwrap();
    let (result, _) = older(&database, AheadPolicy::Compatible).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ahead);
    assert_eq!(error.drift().len(), 1);
    let text = format!("{error:#}");
    assert!(text.contains("`3_c`, which this older build cannot work with"), "{text}");
    assert!(text.contains("start a build that has it"), "{text}");
    let (result, told) = older(&database, AheadPolicy::Run).await;
    assert!(result.unwrap().is_noop());
    assert!(told.contains("2_b, 3_c"), "{told}");

    // Undone, it is in nobody's way.
    let newer = registry(&[A, B, BREAKING, ("3_c.down.sql", "ALTER TABLE a ADD COLUMN id int;")]);
    let _report = Migrator::new(&newer).roll_back(database.pool(), 1).await.unwrap();
    let (result, _) = older(&database, AheadPolicy::Compatible).await;
    assert!(result.unwrap().is_noop());
}

#[tokio::test]
async fn a_breaking_migration_in_rust_is_one() {
    use dunlin_tests::{Functions, folder, registry_of};
    let database = TestDatabase::new();
    let files = folder(&[
        A,
        ("2_b.rs", "// dunlin: breaking\npub async fn up(cx: &mut Context<'_>) -> Result<()> {}\n"),
    ]);
    let newer = registry_of(
        &files,
        &[Functions { name: "2_b", up: |_| Box::pin(async { Ok(()) }), down: None }],
    );
    std::fs::remove_dir_all(&files).unwrap();
    let _report = Migrator::new(&newer).apply(database.pool()).await.unwrap();
    let (result, _) = older(&database, AheadPolicy::Compatible).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Ahead);
}

#[tokio::test]
async fn what_was_edited_or_is_missing_is_tolerated_on_request() {
    let database = TestDatabase::new();
    let _report = Migrator::new(&registry(&[A, B])).apply(database.pool()).await.unwrap();
    let edited = registry(&[
        ("1_a.sql", "CREATE TABLE a (id bigint);"),
        ("3_d.sql", "CREATE TABLE d (id int);"),
    ]);
    let tolerant =
        || Migrator::new(&edited).on_changed(Policy::Announce).on_missing(Policy::Announce);
    for (migrator, n_against) in [
        (Migrator::new(&edited), 2),
        (Migrator::new(&edited).on_changed(Policy::Announce), 1),
        (Migrator::new(&edited).on_missing(Policy::Announce), 1),
    ] {
        let error = migrator.apply(database.pool()).await.unwrap_err();
        assert_eq!((error.kind(), error.drift().len()), (ErrorKind::Drift, n_against));
        assert_eq!(migrator.verify(database.pool()).await.unwrap_err().drift().len(), n_against);
    }
    let recorder = Recorder::default();
    let report = tolerant().observer(recorder.clone()).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
    let told = recorder.text();
    assert!(told.contains("Tolerated: changed: `1_a` was edited"), "{told}");
    assert!(told.contains("Tolerated: missing: `2_b` was applied"), "{told}");
    let plan = tolerant().plan(database.pool()).await.unwrap();
    assert_eq!((plan.steps().len(), plan.tolerated().len()), (0, 2));
    assert_eq!(tolerant().verify(database.pool()).await.unwrap().drift().len(), 2);
}

#[tokio::test]
async fn a_file_says_how_long_its_statements_may_wait_for_locks() {
    let database = TestDatabase::new();
    let text = "SELECT current_setting('lock_timeout') AS value;";
    let migrations = registry(&[
        ("1_a.sql", &format!("-- dunlin: lock-timeout 1500ms\nCREATE TABLE a AS {text}")),
        ("2_b.sql", &format!("CREATE TABLE b AS {text}")),
        (
            "3_c.sql",
            &format!(
                "-- dunlin: no-transaction\n-- dunlin: lock-timeout 1min\nCREATE TABLE c AS {text}"
            ),
        ),
        (
            "4_d.sql",
            &format!(
                "-- dunlin: lock-timeout off\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nCREATE TABLE d AS {text}"
            ),
        ),
        ("5_e.sql", &format!("CREATE TABLE e AS {text}")),
    ]);
    let recorder = Recorder::default();
    let migrator = Migrator::new(&migrations)
        .lock_timeout(Duration::from_millis(777))
        .observer(recorder.clone());
    let result = migrator.apply(database.pool()).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
    let found = "SELECT value FROM a UNION ALL TABLE b UNION ALL TABLE c UNION ALL TABLE d UNION ALL TABLE e";
    assert_eq!(database.texts(found).await, ["1500ms", "777ms", "1min", "0", "777ms"]);
    assert!(!recorder.text().contains("left something"), "{}", recorder.text());
}
