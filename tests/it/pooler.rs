//! Behind pgbouncer in transaction mode a lock of the session means nothing. That is noticed, and
//! whatever happens, nothing runs twice and nothing stays behind on the pooler's connections.

use dunlin::{ErrorKind, Migrator, Registry};
use dunlin_tests::{Pgbouncer, TestDatabase, connect, pool_of, registry, until};
use tokio_postgres::Client;

const NAMES: [&str; 3] = ["1_tally", "2_index", "3_more"];

fn migrations() -> Registry {
    registry(&[
        ("1_tally.sql", "CREATE TABLE tally (what text); INSERT INTO tally VALUES ('1');"),
        (
            "2_index.sql",
            "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY i ON tally (what);\nINSERT INTO tally VALUES ('2');",
        ),
        ("3_more.sql", "SELECT pg_sleep(0.01); INSERT INTO tally VALUES ('3');"),
    ])
}

/// What is left on the server's sessions, the pooler's among them.
async fn nothing_is_left(database: &TestDatabase, through: &Client) {
    until("the lock is given back", async || database.n_locks().await == 0).await;
    let settings = "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name IN ('lock_timeout', 'statement_timeout', 'client_connection_check_interval', 'search_path')";
    for _ in 0..20 {
        let answers = through.simple_query(settings).await.unwrap();
        let n = answers.iter().find_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        assert_eq!(n.as_deref(), Some("0"));
    }
}

async fn completes_directly(database: &TestDatabase) {
    let registry = migrations();
    let mut client = database.client().await;
    let report = Migrator::new(&registry).apply(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).n_total(), 3);
    assert_eq!(database.applied().await, NAMES);
    assert_eq!(database.texts("SELECT what FROM tally ORDER BY 1").await, ["1", "2", "3"]);
}

/// The pooler gives the session that is idle to whoever asks, so two connections meet in it.
#[tokio::test]
async fn a_pool_is_refused_before_anything_is_changed() {
    for n_connections in [1, 20] {
        let (database, pooler) = (TestDatabase::new(), Pgbouncer::start(n_connections).await);
        let through = pooler.connection_string(&database.connection_string());
        let registry = migrations();
        let error = Migrator::new(&registry).apply(&pool_of(2, &through)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Pooler);
        assert_eq!(
            format!("{error:#}"),
            "\
two connections of the pool are answered by one session of the server
  = note: a pooler in transaction mode hands each transaction to another session, so a lock of the session excludes nobody; nothing was changed by this run
  = help: for migrations connect to the server itself, or to a pool in session mode"
        );
        assert_eq!(
            database.number("SELECT count(*) FROM pg_class WHERE relname = 'migrations'").await,
            0
        );
        nothing_is_left(&database, &connect(&through).await).await;
        completes_directly(&database).await;
        // Nothing is pending: no lock is needed, and the pooler is no hindrance.
        let report = Migrator::new(&registry).apply(&pool_of(2, &through)).await.unwrap();
        assert!(report.is_noop());
    }
}

/// A single connection cannot see it at once. Each transaction takes the lock for itself, so that
/// whatever the pooler does nothing runs twice.
#[tokio::test]
async fn many_starters_with_a_connection_each_do_nothing_twice() {
    for n_connections in [1, 3, 20] {
        let (database, pooler) = (TestDatabase::new(), Pgbouncer::start(n_connections).await);
        let through = pooler.connection_string(&database.connection_string());
        let registry: &'static Registry = Box::leak(Box::new(migrations()));
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let through = through.clone();
                tokio::spawn(async move {
                    let mut client = connect(&through).await;
                    Migrator::new(registry).apply(&mut client).await
                })
            })
            .collect();
        let mut applied = Vec::new();
        for task in tasks {
            let result = task.await.unwrap();
            let report = match &result {
                Ok(report) => Some(report),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Pooler, "{n_connections}: {error:#}");
                    error.report()
                }
            };
            let done = report.map(dunlin::Report::done).unwrap_or_default();
            applied.extend(done.iter().map(|done| done.name().to_owned()));
        }
        applied.sort();
        let once = applied.windows(2).all(|pair| pair[0] != pair[1]);
        assert!(once, "{n_connections}: {applied:?}");
        nothing_is_left(&database, &connect(&through).await).await;
        completes_directly(&database).await;
    }
}

/// A migration gives every lock of its session away, and another starter takes this one.
#[tokio::test]
async fn a_lock_that_a_migration_gave_away_is_missed() {
    let database = TestDatabase::new();
    let key = "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let registry = registry(&[(
        "1_gives.sql",
        "-- dunlin: no-transaction\nCREATE TABLE a (id int);\nSELECT pg_advisory_unlock_all();\nSELECT pg_advisory_lock(2, 2);\nCREATE TABLE b (id int);",
    )]);
    let other = database.client().await;
    other.batch_execute("SELECT pg_advisory_lock(2, 2)").await.unwrap();
    let pool = database.pool().clone();
    // The key is seen while the run has it: the file stands at its third statement without.
    let run = tokio::spawn(async move { Migrator::new(&registry).apply(&pool).await });
    database.at_gate(1).await;
    assert_eq!(database.n_locks().await, 1, "the lock of the transaction");
    let key = database.number(key).await;
    let taking = database.client().await;
    let take = format!("SELECT pg_advisory_lock({key})");
    let taken = tokio::spawn(async move {
        taking.batch_execute(&take).await.unwrap();
        taking
    });
    until("another session waits for the lock", async || database.n_at_gate().await == 2).await;
    other.batch_execute("SELECT pg_advisory_unlock(2, 2)").await.unwrap();
    let error = run.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pooler, "{error:#}");
    assert!(error.to_string().contains("the migration lock was lost"), "{error:#}");
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'b'").await, 0);
    drop(taken.await.unwrap());
}
