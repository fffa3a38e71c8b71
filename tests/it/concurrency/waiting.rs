//! Who waits for the lock, how long, what is said of it, and who need not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dunlin::{ErrorKind, Event, Holder, Migrator};
use dunlin_tests::{Gate, Recorder, TestDatabase, registry, until};

use super::blocked;

/// A text with every number replaced by `N`.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            other => out.push(other),
        }
    }
    out
}

#[tokio::test]
async fn the_wait_is_bounded_and_the_error_names_the_holder() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let migrations = registry(&[("1_slow.sql", Gate::PASS)]);
    let task = blocked(&database, migrations).await;
    let migrator = Migrator::new(&migrations).lock_wait(Duration::from_millis(30));
    let error = migrator.apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(
        without_numbers(&format!("{error:#}")),
        "another migrator holds the lock; gave up after N ms\n  \
         = note: held by pid N, user `postgres`, application `billing`, connected for N s, active, running: SET LOCAL lock_timeout = N; SELECT pg_advisory_xact_lock(N, N);\n  \
         = note: nothing was changed by this run\n  \
         = help: if it works, wait and start again, or wait longer: `Migrator::lock_wait`; if it hangs, end it: SELECT pg_terminate_backend(N)"
    );
    let pid = database
        .number("SELECT pid::bigint FROM pg_stat_activity WHERE application_name = 'billing' AND datname = current_database()")
        .await;
    let text = format!("{error:#}");
    assert!(text.contains(&format!("held by pid {pid},")), "{text}");
    assert!(text.contains(&format!("pg_terminate_backend({pid})")), "{text}");
    gate.open().await;
    task.await.unwrap();
}

#[tokio::test]
async fn a_holder_that_sleeps_in_a_transaction_is_called_so() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let task = blocked(&database, registry(&[("1_slow.sql", Gate::PASS)])).await;
    let key = "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let key = database.number(key).await;
    gate.open().await;
    task.await.unwrap();
    let holder = database.client().await;
    holder.batch_execute(&format!("SELECT pg_advisory_lock({key}); BEGIN")).await.unwrap();
    holder.batch_execute("SELECT 'the last statement'").await.unwrap();
    let migrations = registry(&[("2_more.sql", "SELECT 1;")]);
    let result =
        Migrator::new(&migrations).lock_wait(Duration::ZERO).roll_back(database.pool(), 1).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let text = format!("{error:#}");
    assert!(
        text.contains("idle in transaction, last ran: SELECT 'the last statement'\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_waiter_announces_the_holder() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let migrations = registry(&[("1_slow.sql", Gate::PASS)]);
    let task = blocked(&database, migrations).await;
    let holders: Arc<Mutex<Vec<Option<Holder>>>> = Arc::default();
    let told = Arc::clone(&holders);
    let pool = database.pool().clone();
    let waiter = tokio::spawn(async move {
        let observer = move |event: &Event<'_>| {
            if let Event::Waiting { holder, .. } = event {
                told.lock().unwrap().push(holder.cloned());
            }
        };
        Migrator::new(&migrations).observer(observer).apply(&pool).await
    });
    until("the wait is announced", async || !holders.lock().unwrap().is_empty()).await;
    gate.open().await;
    task.await.unwrap();
    assert!(waiter.await.unwrap().unwrap().is_noop());
    let holder = holders.lock().unwrap()[0].clone().unwrap();
    assert_eq!((holder.application.as_str(), holder.user.as_str()), ("billing", "postgres"));
    assert_eq!((holder.state.as_str(), holder.query.as_str()), ("active", Gate::PASS));
}

#[tokio::test]
async fn reading_does_not_wait_for_a_run() {
    let database = TestDatabase::new();
    let files = [("1_a.sql", "CREATE TABLE a (id int);"), ("2_slow.sql", Gate::PASS)];
    let _report = Migrator::new(&registry(&files[..1])).apply(database.pool()).await.unwrap();
    let gate = database.gate().await;
    let migrations = registry(&files);
    let task = blocked(&database, migrations).await;
    let migrator = Migrator::new(&migrations);
    for status in [
        migrator.status(database.pool()).await.unwrap(),
        migrator.verify(database.pool()).await.unwrap(),
    ] {
        assert_eq!((status.n_applied(), status.n_pending()), (1, 1));
    }
    assert_eq!(migrator.plan(database.pool()).await.unwrap().steps().len(), 1);
    gate.open().await;
    task.await.unwrap();
    assert!(migrator.plan(database.pool()).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_waits_for_the_lock_when_nothing_is_pending() {
    let database = TestDatabase::new();
    let good = ("1_good.sql", "CREATE TABLE good (id int);");
    let _report = Migrator::new(&registry(&[good])).apply(database.pool()).await.unwrap();
    let gate = database.gate().await;
    let task = blocked(&database, registry(&[good, ("2_slow.sql", Gate::PASS)])).await;
    let recorder = Recorder::default();
    let up_to_date = registry(&[good]);
    let migrator = Migrator::new(&up_to_date).lock_wait(Duration::ZERO).observer(recorder.clone());
    let report = migrator.apply(database.pool()).await.unwrap();
    assert!(report.is_noop());
    assert_eq!(recorder.lines(), ["✅ All migrations are up-to-date (no new migrations to run)"]);
    gate.open().await;
    task.await.unwrap();
}
