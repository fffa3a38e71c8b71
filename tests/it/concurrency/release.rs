//! The lock and the connection are free again, however a run ends.

use std::sync::Mutex;

use dunlin::{ErrorKind, Event, Migrator, Registry};
use dunlin_tests::{Functions, Gate, TestDatabase, pool_of, registry, registry_with};

use super::blocked;

#[tokio::test]
async fn the_lock_is_free_after_success_and_after_each_kind_of_error() {
    let database = TestDatabase::new();
    let apply = async |files: &[(&str, &str)]| {
        let result = Migrator::new(&registry(files)).apply(database.pool()).await;
        // At once: the run has not returned before the server has given the lock back.
        assert_eq!(database.n_locks().await, 0);
        assert_eq!(database.pool().status().size, 1);
        result.map(|report| report.done().len()).map_err(|error| error.kind())
    };
    let good = ("1_good.sql", "CREATE TABLE good (id int);");
    assert_eq!(apply(&[good]).await, Ok(1));
    assert_eq!(
        apply(&[good, ("2_bad.sql", "SELECT no_such_column;")]).await,
        Err(ErrorKind::Migration)
    );
    let deferred = "CREATE TABLE a (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1), (1);";
    assert_eq!(apply(&[good, ("2_bad.sql", deferred)]).await, Err(ErrorKind::Migration));
    let statements = "-- dunlin: no-transaction\nSELECT no_such_column;";
    assert_eq!(apply(&[good, ("3_bad.sql", statements)]).await, Err(ErrorKind::Migration));
    database.run("DELETE FROM migrations WHERE name = '3_bad'").await;
    let edited = [("1_good.sql", "CREATE TABLE other (id int);"), ("2_b.sql", "SELECT 1;")];
    assert_eq!(apply(&edited).await, Err(ErrorKind::Drift));
    let undo = Migrator::new(&registry(&[good])).roll_back(database.pool(), 1).await;
    assert_eq!(undo.unwrap_err().kind(), ErrorKind::NoUndo);
    assert_eq!(database.n_locks().await, 0);
    let undo = Migrator::new(&registry(&[good])).roll_back(database.pool(), "no such").await;
    assert_eq!(undo.unwrap_err().kind(), ErrorKind::Target);
    assert_eq!(database.n_locks().await, 0);
    database.run("DROP TABLE migrations; CREATE TABLE migrations (version int)").await;
    assert_eq!(apply(&[good]).await, Err(ErrorKind::History));
    database.run("DROP TABLE migrations; CREATE TABLE migrations (id serial, name text, executed_at timestamptz)").await;
    assert_eq!(apply(&[good]).await, Err(ErrorKind::History));
}

#[tokio::test]
async fn the_lock_is_free_after_a_dropped_run() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let migrations = registry(&[("1_slow.sql", Gate::PASS)]);
    let task = blocked(&database, migrations).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    // In the middle of the statement that the server had begun.
    database.no_locks().await;
    gate.open().await;
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.n_total(), 1);
}

#[tokio::test]
async fn the_lock_is_free_after_a_panic_in_a_migration() {
    let database = TestDatabase::new();
    let migrations: &'static Registry = Box::leak(Box::new(registry_with(
        &[("1_a.sql", "CREATE TABLE a (id int);")],
        &[Functions {
            name: "2_panics",
            up: |cx| {
                Box::pin(async move {
                    cx.batch_execute("CREATE TABLE b (id int)").await?;
                    panic!("in the migration")
                })
            },
            down: None,
        }],
    )));
    let pool = database.pool().clone();
    let run = tokio::spawn(async move { Migrator::new(migrations).apply(&pool).await });
    assert!(run.await.unwrap_err().is_panic());
    database.no_locks().await;
    assert_eq!(database.applied().await, ["1_a"]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'b'").await, 0);
    assert_eq!(database.pool().status().size, 0, "the connection does not return to its pool");
}

#[tokio::test]
async fn the_lock_is_free_after_a_panic_in_an_observer() {
    let database = TestDatabase::new();
    let files = [
        ("1_a.sql", "CREATE TABLE a (id int);"),
        // Between the row that says it was begun and the statement there is an event.
        (
            "2_b.sql",
            "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id);",
        ),
    ];
    let migrations: &'static Registry = Box::leak(Box::new(registry(&files)));
    let mut n_events = 0;
    for panic_at in 0.. {
        let pool = database.pool().clone();
        let run = tokio::spawn(async move {
            let told = Mutex::new(0);
            let observer = move |_: &Event<'_>| {
                let mut told = told.lock().unwrap();
                *told += 1;
                assert!(*told <= panic_at, "in the observer");
            };
            Migrator::new(migrations).observer(observer).apply(&pool).await
        });
        let outcome = run.await;
        database.no_locks().await;
        // What is left can be continued from.
        let mut client = database.client().await;
        let _report = Migrator::new(migrations).apply(&mut client).await.unwrap();
        assert_eq!(database.applied().await, ["1_a", "2_b"]);
        if outcome.is_ok() {
            n_events = panic_at;
            break;
        }
        database.run("DROP TABLE migrations, a").await;
    }
    assert_eq!(n_events, 12, "each event has had its panic");
}

#[tokio::test]
async fn a_connection_of_a_dropped_run_does_not_return_to_its_pool() {
    let database = TestDatabase::new();
    let pool = pool_of(1, &database.connection_string());
    let pid = "SELECT pg_backend_pid()";
    let before: i32 = pool.get().await.unwrap().query_one(pid, &[]).await.unwrap().get(0);
    let gate = database.gate().await;
    let migrations = registry(&[("1_slow.sql", Gate::PASS)]);
    {
        let migrator = Migrator::new(&migrations);
        let run = migrator.apply(&pool);
        tokio::select! {
            result = run => panic!("{result:?}"),
            () = database.at_gate(1) => {}
        }
    }
    // At once, although the server is still busy with the statement of the run.
    assert_eq!(pool.status().size, 0);
    let client = pool.get().await.unwrap();
    let after: i32 = client.query_one(pid, &[]).await.unwrap().get(0);
    assert_ne!(before, after);
    gate.open().await;
    database.no_locks().await;
}

#[tokio::test]
async fn a_pooled_object_of_a_dropped_run_is_clean_when_it_returns() {
    let database = TestDatabase::new();
    let pool = pool_of(1, &database.connection_string());
    let gate = database.gate().await;
    let text = format!("CREATE TABLE a (id int); {}", Gate::PASS);
    let migrations = registry(&[("1_slow.sql", &text)]);
    {
        let mut object = pool.get().await.unwrap();
        object.batch_execute("SET search_path = public, pg_catalog").await.unwrap();
        let migrator = Migrator::new(&migrations);
        let run = migrator.apply(&mut object);
        tokio::select! {
            result = run => panic!("{result:?}"),
            () = database.at_gate(1) => {}
        }
    }
    gate.open().await;
    let next = pool.get().await.unwrap();
    // Whatever the next user sends is behind the cleaning up.
    let question =
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    assert_eq!(next.query_one(question, &[]).await.unwrap().get::<_, i64>(0), 0);
    let path: String = next.query_one("SHOW search_path", &[]).await.unwrap().get(0);
    assert_eq!(path, "public, pg_catalog");
    next.batch_execute("BEGIN; CREATE TABLE mine (id int); COMMIT").await.unwrap();
    // What was on its way to the server may have been done, with its row, or not at all.
    let tables = database.number("SELECT count(*) FROM pg_class WHERE relname = 'a'").await;
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, tables);
    assert_eq!(database.number("SELECT count(*) FROM mine").await, 0);
}
