//! What surrounds each of many migrations is prepared once. Nobody can tell, and nothing stays behind.

use std::time::Duration;

use dunlin::{ErrorKind, Event, Migrator, Registry};
use dunlin_tests::{Pgbouncer, TestDatabase, connect, pool_of, registry, until};

/// So many that it is worth it for the first half of them.
const N: usize = 40;

/// A table for each, but for some that are given.
fn many(others: &[(usize, &str)]) -> Registry {
    let text = |number: usize| {
        let other = others.iter().find(|(it, _)| *it == number);
        other.map_or_else(
            || format!("CREATE TABLE t{number} (id int); -- it's \\ \"one\""),
            |(_, text)| (*text).to_owned(),
        )
    };
    let files: Vec<_> = (1..=N).map(|it| (format!("{it}_m.sql"), text(it))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    registry(&files)
}

const OURS: &str = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'dunlin%'";

async fn apply(registry: &Registry, database: &TestDatabase) {
    let mut client = database.client().await;
    let result = Migrator::new(registry).apply(&mut client).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
    let left: i64 = client.query_one(OURS, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, N as i64);
}

#[tokio::test]
async fn rows_and_entries_are_those_of_a_few() {
    let database = TestDatabase::new();
    let seen = format!("CREATE TABLE seen AS {OURS}");
    let registry = many(&[(1, "CREATE TABLE first AS SELECT 1"), (20, &seen)]);
    apply(&registry, &database).await;
    assert_eq!(database.number("SELECT count FROM seen").await, 2);
    // The last ones are too few for it, and say the same.
    let row = "SELECT DISTINCT concat_ws('|', kind, applied_by, application, coalesce(down_text, '-'), breaking, duration_ms >= 0, \
         checksum = 'sha256:' || encode(sha256(convert_to(up_text, 'UTF8')), 'hex'), fingerprint = hashtextextended(name || ' ' || checksum, 0), \
         coalesce(statements, 0)) FROM migrations";
    assert_eq!(database.texts(row).await.len(), 1, "{:?}", database.texts(row).await);
    let text = "SELECT up_text FROM migrations WHERE name = '30_m'";
    assert_eq!(database.texts(text).await, ["CREATE TABLE t30 (id int); -- it's \\ \"one\""]);
    let entry = "SELECT DISTINCT concat_ws('|', action, outcome, checksum IS NOT NULL, duration_ms >= 0, actor, role, system IS NOT NULL) FROM migrations_log";
    assert_eq!(database.texts(entry).await.len(), 1);
    let order = "SELECT name FROM migrations_log ORDER BY id";
    assert_eq!(
        database.texts(order).await,
        database.texts("SELECT name FROM migrations ORDER BY id").await
    );
    assert_eq!(database.texts(order).await.len(), N);
}

#[tokio::test]
async fn a_migration_may_forget_all_prepared_statements() {
    let database = TestDatabase::new();
    let again = format!("CREATE TABLE again AS {OURS}");
    let registry = many(&[
        (5, "DEALLOCATE ALL"),
        (8, &again),
        (10, "PREPARE mine AS SELECT 1; CREATE TABLE t10 (id int)"),
        (
            15,
            "CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DEALLOCATE ALL; END $$",
        ),
        (16, "SELECT forget()"),
    ]);
    apply(&registry, &database).await;
    assert_eq!(database.number("SELECT count FROM again").await, 2);
    // One that is found in the database is called by nobody knows whom.
    let database = TestDatabase::new();
    database
        .run("CREATE FUNCTION forget() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DEALLOCATE ALL; END $$")
        .await;
    apply(&many(&[(20, "SELECT forget()")]), &database).await;
}

#[tokio::test]
async fn a_failure_stops_everything_behind_it() {
    for broken in [
        "CREATE TABLE t9 (id int); SELECT 1 / 0",
        // At its COMMIT.
        "CREATE TABLE t9 (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t9 VALUES (1), (1)",
        // Its row is in the way.
        "-- dunlin: allow history-table: to be in the way\nCREATE TABLE t9 (id int); INSERT INTO migrations (name) VALUES ('9_m')",
    ] {
        let database = TestDatabase::new();
        let mut client = database.client().await;
        let migrations = many(&[(9, broken)]);
        let migrator = Migrator::new(&migrations);
        let error = migrator.apply(&mut client).await.unwrap_err();
        assert_eq!(error.migration(), Some("9_m"), "{error:#}");
        assert_eq!(database.number("SELECT count(*) FROM migrations").await, 8, "{error:#}");
        assert_eq!(
            database.number("SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'").await,
            8
        );
        let left: i64 = client.query_one(OURS, &[]).await.unwrap().get(0);
        assert_eq!(left, 0, "{error:#}");
        apply(&many(&[]), &database).await;
    }
}

#[tokio::test]
async fn what_waited_for_a_lock_goes_on() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let billing = database.client().await;
    billing.batch_execute("BEGIN; LOCK TABLE busy").await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut client = database.client().await;
    let run = tokio::spawn(async move {
        let migrations = many(&[(9, "ALTER TABLE busy ADD x int")]);
        let observer = move |event: &Event<'_>| {
            if matches!(event, Event::Retrying { .. }) {
                tell.send(()).unwrap();
            }
        };
        let migrator = Migrator::new(&migrations).lock_timeout(Duration::from_millis(40));
        migrator.observer(observer).apply(&mut client).await.map(|report| report.done().len())
    });
    told.recv().await.unwrap();
    billing.batch_execute("COMMIT").await.unwrap();
    assert_eq!(run.await.unwrap().unwrap(), N);
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, N as i64);
}

/// A pool is refused; single connections meet each other's sessions.
#[tokio::test]
async fn behind_a_pooler_nothing_runs_twice_and_nothing_is_left() {
    let (database, pooler) = (TestDatabase::new(), Pgbouncer::start(3).await);
    let through = pooler.connection_string(&database.connection_string());
    let migrations: &'static Registry = Box::leak(Box::new(many(&[])));
    let error = Migrator::new(migrations).apply(&pool_of(2, &through)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pooler);
    let starters: Vec<_> = (0..6)
        .map(|_| {
            let through = through.clone();
            tokio::spawn(async move {
                let mut client = connect(&through).await;
                let _outcome = Migrator::new(migrations).apply(&mut client).await;
            })
        })
        .collect();
    for starter in starters {
        starter.await.unwrap();
    }
    until("the lock is given back", async || database.n_locks().await == 0).await;
    let onlooker = connect(&through).await;
    for _ in 0..20 {
        let answers = onlooker.simple_query(OURS).await.unwrap();
        let n = answers.iter().find_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        assert_eq!(n.as_deref(), Some("0"));
    }
    apply(migrations, &database).await;
}

/// Whoever drops a run while it waits gets the connection back as it was.
#[tokio::test]
async fn a_dropped_run_leaves_nothing_on_a_client() {
    // In the first case what is prepared behind it never comes to be, in the last it is forgotten before.
    for (number, settings) in
        [(1, "SET work_mem = '7MB';"), (20, ""), (20, "SET work_mem = '7MB';")]
    {
        let database = TestDatabase::new();
        database.run("CREATE TABLE busy (id int)").await;
        let billing = database.client().await;
        billing.batch_execute("BEGIN; LOCK TABLE busy").await.unwrap();
        let mut client = database.client().await;
        client.batch_execute("SET lock_timeout = '9s'; SET work_mem = '5MB'").await.unwrap();
        let migrations = many(&[(number, &format!("{settings} ALTER TABLE busy ADD x int"))]);
        let migrator = Migrator::new(&migrations).lock_timeout(Duration::from_millis(100));
        let run = tokio::time::timeout(Duration::from_millis(700), migrator.apply(&mut client));
        let _elapsed = run.await.unwrap_err();
        let now = format!(
            "SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('work_mem'), current_setting('statement_timeout'), ({OURS}))"
        );
        let now: String = client.query_one(&now, &[]).await.unwrap().get(0);
        assert_eq!(now, "9s 5MB 0 0", "{number} {settings}");
        assert_eq!(database.n_locks().await, 0);
        billing.batch_execute("COMMIT").await.unwrap();
        apply(&migrations, &database).await;
    }
}
