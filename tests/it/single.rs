//! A run as one transaction, on request.

use std::time::Duration;

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{Functions, Recorder, TestDatabase, registry, registry_with, until};

const A: (&str, &str) = ("1_a.sql", "SET search_path = pg_temp; CREATE TABLE public.a (id int);");
const B: (&str, &str) = (
    "2_b.sql",
    "-- dunlin: lock-timeout 3s\nCREATE TABLE b AS SELECT current_setting('lock_timeout') AS value;",
);

async fn tables(database: &TestDatabase) -> Vec<String> {
    let question = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relkind = 'r' AND relname NOT LIKE 'migrations%' ORDER BY 1";
    database.texts(question).await
}

#[tokio::test]
async fn all_of_it_is_one_transaction() {
    let database = TestDatabase::new();
    let migrations = registry_with(
        &[A, B, ("4_d.sql", "INSERT INTO c SELECT 2; SELECT 1;")],
        &[Functions {
            name: "3_c",
            up: |cx| Box::pin(async { cx.batch_execute("CREATE TABLE c AS SELECT 1 AS id").await }),
            down: None,
        }],
    );
    let migrator = Migrator::new(&migrations).single_transaction(true);
    let report = migrator.apply(database.pool()).await;
    let report = report.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!((report.done().len(), report.n_total()), (4, 4));
    assert_eq!(tables(&database).await, ["a", "b", "c"]);
    assert_eq!(database.texts("SELECT value FROM b").await, ["3s"]);
    assert_eq!(database.number("SELECT count(DISTINCT xmin::text) FROM migrations").await, 1);
    assert_eq!(
        database.number("SELECT count(*) FROM migrations_log WHERE outcome = 'done'").await,
        4
    );
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn one_failure_takes_everything_back() {
    let failing = [
        ("3_c.sql", "CREATE TABLE c (id int);\nSELECT 1/0;"),
        (
            "3_c.sql",
            "CREATE TABLE c (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1), (1);",
        ),
    ];
    for (index, third) in failing.into_iter().enumerate() {
        let database = TestDatabase::new();
        let recorder = Recorder::default();
        let migrations = registry(&[A, B, third]);
        let migrator =
            Migrator::new(&migrations).single_transaction(true).observer(recorder.clone());
        let error = migrator.apply(database.pool()).await.unwrap_err();
        let text = format!("{error:#}");
        assert_eq!(error.migration(), Some("3_c"), "{text}");
        assert!(error.report().unwrap().is_noop(), "{text}");
        assert!(text.contains("3 pending"), "{text}");
        if index == 0 {
            assert_eq!(error.location().unwrap().1.line(), 2, "{text}");
            assert!(text.contains("the run is one transaction"), "{text}");
        }
        assert!(!recorder.text().contains("Completed"), "{}", recorder.text());
        assert_eq!(tables(&database).await, Vec::<String>::new());
        assert_eq!(database.number("SELECT count(*) FROM migrations").await, 0);
        let logged = database.texts("SELECT outcome || ' ' || name FROM migrations_log").await;
        assert_eq!(logged, ["failed 3_c"]);
    }
}

#[tokio::test]
async fn what_cannot_be_part_of_it_is_refused_before_anything_runs() {
    for text in [
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY ON public.a (id);",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1;",
    ] {
        let database = TestDatabase::new();
        let migrations = registry(&[A, ("2_b.sql", text)]);
        let migrator = Migrator::new(&migrations).single_transaction(true);
        let error = migrator.apply(database.pool()).await.unwrap_err();
        assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some("2_b")));
        assert!(error.to_string().contains("cannot be part of one transaction"), "{error:#}");
        assert_eq!(tables(&database).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_sends_it_back_to_the_beginning() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let blocker = database.client().await;
    blocker.batch_execute("BEGIN; LOCK TABLE busy").await.unwrap();
    let migrations = registry(&[A, ("2_b.sql", "ALTER TABLE busy ADD COLUMN x int;")]);
    let recorder = Recorder::default();
    let pool = database.pool().clone();
    let told = recorder.clone();
    let run = tokio::spawn(async move {
        Migrator::new(&migrations)
            .single_transaction(true)
            .lock_timeout(Duration::from_millis(20))
            .observer(told)
            .apply(&pool)
            .await
    });
    until("it is tried again", async || recorder.text().contains("trying again")).await;
    blocker.batch_execute("COMMIT").await.unwrap();
    let report = run.await.unwrap().unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(report.done().len(), 2);
    assert_eq!(tables(&database).await, ["a", "busy"]);
}
