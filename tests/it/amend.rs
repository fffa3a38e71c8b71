//! Correcting the history by hand: baseline, repair, mark, unlock.

use std::time::Duration;

use dunlin::{ErrorKind, Mark, Migrator, State};
use dunlin_tests::{TestDatabase, registry, until};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "-- dunlin: breaking\nCREATE TABLE b (id int);");
const C: (&str, &str) = ("3_c.sql", "CREATE TABLE c (id int);");

async fn tables(database: &TestDatabase) -> Vec<String> {
    let question = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relkind = 'r' AND relname NOT LIKE 'migrations%' ORDER BY 1";
    database.texts(question).await
}

async fn rows(database: &TestDatabase) -> Vec<String> {
    let question = "SELECT concat_ws(' ', name, kind, duration_ms IS NULL, breaking, \
         checksum = 'sha256:' || encode(sha256(convert_to(up_text, 'UTF8')), 'hex')) FROM migrations ORDER BY name";
    database.texts(question).await
}

async fn log(database: &TestDatabase) -> Vec<String> {
    let question = "SELECT concat_ws(' ', action, outcome, name) FROM migrations_log ORDER BY id";
    database.texts(question).await
}

#[tokio::test]
async fn a_baseline_records_and_runs_nothing() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE a (id int); CREATE TABLE b (id int)").await;
    let migrations = registry(&[A, B, C]);
    let migrator = Migrator::new(&migrations);
    let report = migrator.baseline(database.pool(), "2_b").await.unwrap();
    let names: Vec<_> = report.done().iter().map(|done| done.name().to_owned()).collect();
    assert_eq!((names.as_slice(), report.n_total()), (["1_a".into(), "2_b".into()].as_slice(), 2));
    assert_eq!(rows(&database).await, ["1_a baseline t f t", "2_b baseline t t t"]);
    let again = migrator.baseline(database.pool(), "2_b").await.unwrap();
    assert!(again.is_noop());
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "3_c");
    assert_eq!(log(&database).await, ["baseline done 1_a", "baseline done 2_b", "apply done 3_c"]);
    let error = migrator.baseline(database.pool(), "9").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
}

#[tokio::test]
async fn repair_takes_over_what_was_edited_and_renamed_and_nothing_else() {
    let database = TestDatabase::new();
    let first = registry(&[A, B, C, ("0_gone.sql", "SELECT 1;")]);
    let _report = Migrator::new(&first).apply(database.pool()).await.unwrap();
    let edited = ("1_a.sql", "CREATE TABLE a (id bigint);");
    let renamed = ("2_bee.sql", B.1);
    let migrations = registry(&[edited, renamed, C]);
    let migrator = Migrator::new(&migrations);
    assert_eq!(migrator.verify(database.pool()).await.unwrap_err().drift().len(), 3);
    let repaired = migrator.repair(database.pool()).await.unwrap();
    let names =
        |drift: &[dunlin::Drift]| drift.iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(repaired.repaired()), ["1_a", "2_b"]);
    assert_eq!(names(repaired.left()), ["0_gone"]);
    assert_eq!(names(migrator.verify(database.pool()).await.unwrap_err().drift()), ["0_gone"]);
    assert_eq!(
        rows(&database).await,
        ["0_gone sql f f t", "1_a sql f f t", "2_bee sql f t t", "3_c sql f f t"]
    );
    assert_eq!(log(&database).await[4..], ["repair done 1_a", "repair done 2_bee"]);
    let again = migrator.repair(database.pool()).await.unwrap();
    assert!(again.repaired().is_empty());
}

#[tokio::test]
async fn a_migration_is_marked_applied_or_pending() {
    let database = TestDatabase::new();
    let migrations = registry(&[A, B]);
    let migrator = Migrator::new(&migrations);
    migrator.mark(database.pool(), "1_a", Mark::Applied).await.unwrap();
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!((report.done().len(), report.done()[0].name()), (1, "2_b"));
    assert_eq!(tables(&database).await, ["b"]);
    migrator.mark(database.pool(), "1_a", Mark::Pending).await.unwrap();
    let _report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(tables(&database).await, ["a", "b"]);
    let expected = ["mark done 1_a", "apply done 2_b", "mark done 1_a", "apply done 1_a"];
    assert_eq!(log(&database).await, expected);
    for (name, mark) in [("9_x", Mark::Applied), ("1_a", Mark::StatementDone)] {
        let error = migrator.mark(database.pool(), name, mark).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Target, "{error:#}");
    }
    migrator.mark(database.pool(), "1_a", Mark::Pending).await.unwrap();
    let error = migrator.mark(database.pool(), "1_a", Mark::Pending).await.unwrap_err();
    assert_eq!(error.to_string(), "`1_a` is pending already");
}

#[tokio::test]
async fn an_interrupted_statement_is_marked_either_way() {
    for (mark, expected) in [(Mark::StatementDone, 1), (Mark::StatementNotDone, 2)] {
        let database = TestDatabase::new();
        let text = "-- dunlin: no-transaction\nCREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\nSELECT 1;";
        let migrations = registry(&[("1_a.sql", text)]);
        let migrator = Migrator::new(&migrations);
        let _report = migrator.apply(database.pool()).await.unwrap();
        // As a run leaves it that was cut off in the second statement, which had taken effect.
        database.run("UPDATE migrations SET statements_done = 1, statements_begun = 2").await;
        let error = migrator.apply(database.pool()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Migration, "{error:#}");
        migrator.mark(database.pool(), "1_a", mark).await.unwrap();
        let _report = migrator.apply(database.pool()).await.unwrap();
        assert_eq!(database.number("SELECT count(*) FROM t").await, expected);
        assert_eq!(migrator.status(database.pool()).await.unwrap().count(State::Applied), 1);
    }
}

#[tokio::test]
async fn the_holder_of_the_lock_is_shown_and_ended() {
    let database = TestDatabase::new();
    let first = registry(&[A]);
    let migrator = Migrator::new(&first);
    let _report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(migrator.lock_holder(database.pool()).await.unwrap(), None);
    let sleeping = registry(&[A, ("2_b.sql", "SELECT pg_sleep(600);")]);
    let pool = database.pool().clone();
    let hanging = tokio::spawn(async move { Migrator::new(&sleeping).apply(&pool).await });
    let mut held = None;
    until("somebody holds the lock", async || {
        held = migrator.lock_holder(database.pool()).await.unwrap();
        held.as_ref().is_some_and(|holder| holder.query.contains("pg_sleep"))
    })
    .await;
    let pid = held.unwrap().pid;
    assert!(!migrator.unlock(database.pool(), pid + 1).await.unwrap());
    assert!(migrator.unlock(database.pool(), pid).await.unwrap());
    let error = tokio::time::timeout(Duration::from_secs(60), hanging).await.unwrap().unwrap();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Connection);
    assert_eq!(migrator.lock_holder(database.pool()).await.unwrap(), None);
    let message =
        "SELECT message LIKE 'pid %pg_sleep%' FROM migrations_log WHERE action = 'unlock'";
    assert_eq!(
        database.number(&format!("SELECT count(*) FROM ({message}) AS it (ok) WHERE ok")).await,
        1
    );
}
