//! Behind pgbouncer in transaction mode a lock of the session means nothing. That is noticed, and
//! whatever happens, nothing runs twice and nothing stays behind on the pooler's connections.

mod switched;

use std::time::Duration;

use dunlin::{ErrorKind, Migrator, Registry};
use dunlin_tests::{Gate, Pgbouncer, Recorder, TestDatabase, connect, pool_of, registry, until};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

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
                    // A run that cannot reach the session with its lock any more ends it; another one may
                    // have been given it in that moment.
                    let is_ended = error.code() == Some(&SqlState::ADMIN_SHUTDOWN);
                    let is_told = error.kind() == ErrorKind::Pooler || is_ended;
                    assert!(is_told, "{n_connections}: {error:#}");
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

/// Where the key of a run is seen while it has its lock.
const KEY: &str = "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// The same of a lock that nobody has.
const HASHED: &str = "SELECT ('x' || left(encode(sha256(convert_to(E'dunlin\n' || current_database() || E'\npublic\nmigrations', 'UTF8')), 'hex'), 16))::bit(64)::bigint";

/// Somebody else who takes the lock as soon as it is free.
async fn taking(database: &TestDatabase) -> tokio::task::JoinHandle<Client> {
    let key = database.number(KEY).await;
    let client = database.client().await;
    let taken = tokio::spawn(async move {
        client.batch_execute(&format!("SELECT pg_advisory_lock({key})")).await.unwrap();
        client
    });
    until("another session waits for the lock", async || database.n_at_gate().await == 2).await;
    taken
}

/// A migration gives every lock of its session away; the run has it again before anybody can take it.
#[tokio::test]
async fn a_lock_that_a_migration_gives_away_is_taken_again() {
    let away = "SELECT pg_advisory_unlock_all()";
    for (text, is_told) in [
        (format!("{away};\n{}", Gate::PASS), true),
        (format!("DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;\n{}", Gate::PASS), true),
        (format!("SELECT gives();\n{}", Gate::PASS), true),
        (
            format!(
                "-- dunlin: no-transaction\n{away};\nDO $$ BEGIN PERFORM pg_advisory_xact_lock(1, 1); END $$;"
            ),
            false,
        ),
    ] {
        let database = TestDatabase::new();
        database
            .run("CREATE FUNCTION gives() RETURNS void BEGIN ATOMIC SELECT pg_advisory_unlock_all(); END")
            .await;
        let registry = registry(&[("1_gives.sql", &text), ("2_more.sql", "SELECT 1;")]);
        let gate = database.gate().await;
        let (pool, recorder) = (database.pool().clone(), Recorder::default());
        let told = recorder.clone();
        let run = tokio::spawn(async move {
            let migrator = Migrator::new(&registry).lock_timeout(Duration::ZERO).observer(told);
            migrator.apply(&pool).await
        });
        database.at_gate(1).await;
        let taken = taking(&database).await;
        gate.open().await;
        let report = run.await.unwrap().unwrap_or_else(|error| panic!("{text}: {error:#}"));
        assert_eq!(report.done().len(), 2);
        let told = recorder.text();
        assert_eq!(told.contains("cleaned up: the migration lock"), is_told, "{told}");
        drop(taken.await.unwrap());
        database.no_locks().await;
    }
}

/// Outside of a transaction nobody can keep it for the run.
#[tokio::test]
async fn a_lock_that_somebody_else_has_got_is_missed() {
    let database = TestDatabase::new();
    let registry = registry(&[(
        "1_gives.sql",
        "-- dunlin: no-transaction\nCREATE TABLE a (id int);\n\
         DO $$ BEGIN PERFORM pg_advisory_unlock_all(); COMMIT; PERFORM pg_advisory_xact_lock(1, 1); END $$;\n\
         CREATE TABLE b (id int);",
    )]);
    let gate = database.gate().await;
    let pool = database.pool().clone();
    let run = tokio::spawn(async move {
        Migrator::new(&registry).lock_timeout(Duration::ZERO).apply(&pool).await
    });
    database.at_gate(1).await;
    assert_eq!(database.n_locks().await, 0, "it is given away");
    let key = database.number(HASHED).await;
    let other = database.client().await;
    other.batch_execute(&format!("SELECT pg_advisory_lock({key})")).await.unwrap();
    gate.open().await;
    let error = run.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pooler, "{error:#}");
    assert!(error.to_string().contains("the migration lock was lost"), "{error:#}");
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'b'").await, 0);
}
