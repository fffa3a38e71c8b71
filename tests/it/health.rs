//! A health endpoint asks while a run is under way, whatever becomes of the run.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::cancel::{Moment, polled};
use dunlin::{Console, Direction, ErrorKind, Event, Health, Migrator, Phase, Registry, Report};
use dunlin_tests::{Functions, Gate, TestDatabase, pool, registry, registry_with, until};
use tokio::task::JoinHandle;

type Run = JoinHandle<dunlin::Result<Report>>;

/// Applies in a task of its own, with a handle to ask.
fn start(migrations: Registry, database: &TestDatabase) -> (Health, Run) {
    let (health, pool) = (Health::new(), database.pool().clone());
    let observer = health.clone();
    let run =
        tokio::spawn(
            async move { Migrator::new(&migrations).observer(observer).apply(&pool).await },
        );
    (health, run)
}

async fn apply(migrations: &Registry, database: &TestDatabase, health: &Health) {
    let migrator = Migrator::new(migrations).observer(health.clone());
    let _report = migrator.apply(database.pool()).await.unwrap();
}

const FIRST: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");

#[tokio::test]
async fn it_says_how_far_a_run_has_come() {
    let database = TestDatabase::new();
    let begun = SystemTime::now();
    let gate = database.gate().await;
    let (health, run) =
        start(registry(&[FIRST, ("2_b.sql", Gate::PASS), ("3_c.sql", "SELECT 1;")]), &database);
    database.at_gate(1).await;
    until(
        "the answer of the first is read",
        async || matches!(&health.snapshot().phase, Phase::Migrating(it) if it.n_done == 1),
    )
    .await;
    let now = health.snapshot();
    let Phase::Migrating(migrating) = &now.phase else { panic!("{now:?}") };
    assert_eq!((migrating.direction, migrating.n_all), (Direction::Up, 3));
    let current = migrating.current.as_ref().unwrap();
    assert_eq!((&*current.name, current.n_failed, &current.statement), ("2_b", 0, &None));
    assert!(begun <= now.since && now.since <= current.since);
    assert!(!now.is_ready() && !now.has_failed());
    let json = now.to_json();
    assert!(json.starts_with(r#"{"phase":"migrating","ready":false,"since":"2"#), "{json}");
    assert!(
        json.contains(
            r#"","direction":"up","done":1,"of":3,"migration":"2_b","migration_since":"2"#
        ),
        "{json}"
    );

    gate.open().await;
    let _report = run.await.unwrap().unwrap();
    let now = health.snapshot();
    let finished = Phase::Finished { direction: Direction::Up, n_done: 3, n_total: 3 };
    assert_eq!(now.phase, finished);
    assert!(now.is_ready() && health.is_ready() && !health.has_failed());
    assert!(now.to_json().ends_with(r#","direction":"up","done":3,"applied":3}"#));
}

#[tokio::test]
async fn it_says_at_which_statement_a_file_without_a_transaction_is() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let text = "-- dunlin: no-transaction\nSET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nSELECT pg_advisory_lock(1, 1);\nSELECT 1;";
    let (health, run) = start(registry(&[FIRST, ("2_b.sql", text)]), &database);
    database.at_gate(1).await;
    let now = health.snapshot();
    let Phase::Migrating(migrating) = &now.phase else { panic!("{now:?}") };
    let statement = migrating.current.clone().unwrap().statement.unwrap();
    assert_eq!(statement.to_string(), "3 of 4, SELECT");
    let json = now.to_json();
    assert!(json.contains(r#""statement":{"number":3,"of":4,"command":"SELECT"}"#), "{json}");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn it_says_who_holds_the_lock() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let (_health, holder) = start(registry(&[("1_gate.sql", Gate::PASS)]), &database);
    database.at_gate(1).await;
    let (health, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), &database);
    let is_waiting = async || matches!(health.snapshot().phase, Phase::Waiting { .. });
    until("the second starter waits", is_waiting).await;
    let now = health.snapshot();
    let Phase::Waiting { holder: Some(session) } = &now.phase else { panic!("{now:?}") };
    let pid = "SELECT pid::int8 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE datname = current_database() AND locktype = 'advisory' AND objsubid = 1 AND granted";
    assert_eq!(i64::from(session.pid), database.number(pid).await);
    assert!(now.to_json().contains(&format!(r#""holder":{{"pid":{},"#, session.pid)));
    assert!(!now.is_ready() && !now.has_failed());
    gate.open().await;
    assert_eq!(holder.await.unwrap().unwrap().done().len(), 1);
    assert!(run.await.unwrap().unwrap().is_noop());
    assert_eq!(health.snapshot().phase, Phase::UpToDate { n_applied: 1 });
}

#[tokio::test]
async fn it_says_that_a_migration_cannot_get_its_lock() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let mut client = database.client().await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE busy IN ACCESS SHARE MODE").await.unwrap();
    let (health, pool) = (Health::new(), database.pool().clone());
    let observer = health.clone();
    let run = tokio::spawn(async move {
        let migrations = registry(&[("1_alter.sql", "ALTER TABLE busy ADD COLUMN x int;")]);
        let migrator = Migrator::new(&migrations).lock_timeout(Duration::from_millis(10));
        migrator.observer(observer).apply(&pool).await
    });
    until("the migration is tried again", async || {
        health.snapshot().to_json().contains(r#""migration":"1_alter""#)
            && health.snapshot().to_json().contains(r#","retries":"#)
    })
    .await;
    lock.rollback().await.unwrap();
    let _report = run.await.unwrap().unwrap();
    assert!(health.is_ready());
}

#[tokio::test]
async fn it_says_why_a_run_has_failed() {
    let database = TestDatabase::new();
    let migrations = registry(&[FIRST, ("2_b.sql", "ALTER TABLE \"nix\" ADD COLUMN x int;")]);
    let health = Health::new();
    let migrator = Migrator::new(&migrations).observer(health.clone());
    let error = migrator.apply(database.pool()).await.unwrap_err();
    let now = health.snapshot();
    let failed = Phase::Failed {
        kind: ErrorKind::Migration,
        headline: error.to_string(),
        migration: Some("2_b".to_owned()),
    };
    assert_eq!(now.phase, failed);
    assert!(now.has_failed() && health.has_failed() && !health.is_ready());
    let json = now.to_json();
    let end = r#","kind":"migration","error":"migration `2_b` failed: relation \"nix\" does not exist (42P01)","migration":"2_b"}"#;
    assert!(json.ends_with(end), "{json}");

    let nowhere = pool("host=/nowhere user=ana password=s3cret dbname=x");
    let error = migrator.apply(&nowhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    let json = health.snapshot().to_json();
    assert!(json.contains(r#","kind":"connection","error":"no connection to the"#), "{json}");
    assert!(!json.contains("s3cret"), "{json}");
}

#[tokio::test]
async fn it_says_that_nothing_was_pending_and_that_the_build_is_older() {
    let database = TestDatabase::new();
    let health = Health::new();
    assert_eq!(health.snapshot().phase, Phase::NotStarted);
    assert!(!health.is_ready() && !health.has_failed());
    let (old, new) = (registry(&[FIRST]), registry(&[FIRST, ("2_b.sql", "SELECT 1;")]));
    apply(&new, &database, &health).await;
    assert!(health.snapshot().ahead.is_empty());
    apply(&old, &database, &health).await;
    let now = health.snapshot();
    assert_eq!((now.ahead.as_slice(), now.is_ready()), (["2_b".to_owned()].as_slice(), true));
    assert_eq!(now.phase, Phase::UpToDate { n_applied: 2 });
    assert!(now.to_json().ends_with(r#","ahead":["2_b"],"applied":2}"#), "{}", now.to_json());
    // A later run begins anew.
    apply(&new, &database, &health).await;
    assert!(health.snapshot().ahead.is_empty());
}

#[tokio::test]
async fn an_undo_is_not_ready() {
    let database = TestDatabase::new();
    let migrations = registry(&[FIRST, ("1_a.down.sql", "DROP TABLE a;")]);
    let health = Health::new();
    apply(&migrations, &database, &health).await;
    let migrator = Migrator::new(&migrations).observer(health.clone());
    let _report = migrator.roll_back(database.pool(), 1).await.unwrap();
    let undone = Phase::Finished { direction: Direction::Down, n_done: 1, n_total: 0 };
    assert_eq!(health.snapshot().phase, undone);
    assert!(!health.is_ready());
    let _report = migrator.roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(health.snapshot().phase, Phase::NothingToUndo);
    assert!(!health.is_ready() && !health.has_failed());
}

#[tokio::test]
async fn a_dropped_run_does_not_say_for_ever_that_it_migrates() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let (health, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), &database);
    database.at_gate(1).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    assert_eq!(health.snapshot().phase, Phase::Interrupted);
    assert!(health.has_failed() && !health.is_ready());
    gate.open().await;
    database.no_locks().await;
}

/// Wherever it is dropped.
#[tokio::test]
async fn the_last_event_of_a_run_says_how_it_ended() {
    let database = TestDatabase::new();
    let no_transaction =
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (id);";
    let rust = Functions {
        name: "3_c",
        up: |cx| Box::pin(async { cx.batch_execute("CREATE TABLE c (id int)").await }),
        down: None,
    };
    let migrations = registry_with(&[FIRST, ("2_b.sql", no_transaction)], &[rust]);
    let mut client = database.client().await;
    for n in 1.. {
        client
            .batch_execute("DROP TABLE IF EXISTS migrations, migrations_log, a, c")
            .await
            .unwrap();
        let (health, told) = (Health::new(), Mutex::new(Vec::new()));
        let migrator =
            Migrator::new(&migrations).observer(health.clone()).observer(|event: &Event<'_>| {
                told.lock().unwrap().push(match event {
                    Event::Looking { .. } => "first",
                    Event::Finished { .. } => "finished",
                    Event::Interrupted => "interrupted",
                    Event::Failed { .. } | Event::UpToDate { .. } | Event::NothingToUndo => "wrong",
                    _ => "",
                });
            });
        let outcome = polled(n, Moment::WhenWoken, migrator.apply(&mut client)).await;
        drop(migrator);
        let told = told.into_inner().unwrap();
        let ends: Vec<_> = told.iter().filter(|it| !it.is_empty()).copied().collect();
        assert_eq!(told.first(), Some(&"first"));
        match outcome {
            // Dropped while it gave the lock back, when everything was done.
            None if ends.contains(&"finished") => {
                assert_eq!(ends, ["first", "finished", "interrupted"]);
                assert!(health.has_failed());
            }
            None => {
                assert_eq!(
                    (ends.as_slice(), told.last()),
                    (["first", "interrupted"].as_slice(), Some(&"interrupted"))
                );
                assert_eq!(health.snapshot().phase, Phase::Interrupted);
            }
            Some(result) => {
                let _report = result.unwrap();
                assert_eq!(
                    (ends.as_slice(), told.last()),
                    (["first", "finished"].as_slice(), Some(&"finished"))
                );
                assert!(n > 10 && health.is_ready(), "{n}");
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_panics_does_not_either() {
    let panics = Functions {
        name: "2_panics",
        up: |_| Box::pin(async { panic!("in the migration") }),
        down: None,
    };
    let database = TestDatabase::new();
    let (health, run) = start(registry_with(&[FIRST], &[panics]), &database);
    assert!(run.await.unwrap_err().is_panic());
    assert_eq!(health.snapshot().phase, Phase::Interrupted);
    database.no_locks().await;
}

/// Also if it panics again when it is told of the end.
#[tokio::test]
async fn nor_one_whose_other_observer_panics() {
    let database = TestDatabase::new();
    let (health, pool) = (Health::new(), database.pool().clone());
    let observer = health.clone();
    let run = tokio::spawn(async move {
        let migrations = registry(&[FIRST]);
        let angry = |event: &Event<'_>| {
            assert!(matches!(event, Event::Looking { .. } | Event::HistoryCreated { .. }));
        };
        Migrator::new(&migrations).observer(observer).observer(angry).apply(&pool).await
    });
    assert!(run.await.unwrap_err().is_panic());
    assert_eq!(health.snapshot().phase, Phase::Interrupted);
    database.no_locks().await;
}

#[tokio::test]
async fn several_observers_are_told_in_order() {
    let database = TestDatabase::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = |name: &'static str| {
        let told = Arc::clone(&told);
        Console::new(move |line: &str| told.lock().unwrap().push(format!("{name} {line}"))).plain()
    };
    let migrations = registry(&[]);
    let migrator = Migrator::new(&migrations).observer(observer("a")).observer(observer("b"));
    let _report = migrator.apply(database.pool()).await.unwrap();
    let line = "ok: All migrations are up-to-date (no new migrations to run)";
    assert_eq!(*told.lock().unwrap(), [format!("a {line}"), format!("b {line}")]);
}
