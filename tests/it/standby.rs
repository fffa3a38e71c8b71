//! Servers and sessions that cannot be written to, and waiting until one can.

use std::time::Duration;

use deadpool_postgres::Pool;
use dunlin::{ErrorKind, Event, Health, Mark, Migrator, Origin, Phase, Registry, Result, Tool};
use dunlin_tests::{
    Gate, Pair, Proxy, Recorder, Side, TestDatabase, connect, pool_of, registry, rendered, until,
};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");
const B_DOWN: (&str, &str) = ("2_b.down.sql", "DROP TABLE b;");

/// Longer than any wait of these tests should be.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_secs(2);

/// Waits until a run says that it waits.
async fn waits(health: &Health) {
    until("the run waits for a primary", async || {
        matches!(health.snapshot().phase, Phase::WaitingForPrimary { .. })
    })
    .await;
}

/// A run on a pool that waits, in a task of its own.
fn applying(
    connection_string: &str,
    registry: &Registry,
    health: &Health,
) -> tokio::task::JoinHandle<Result<dunlin::Report>> {
    let (pool, registry, health) = (pool_of(1, connection_string), *registry, health.clone());
    tokio::spawn(async move {
        let migrator = Migrator::new(&registry).wait_for_primary(LONG).observer(health);
        migrator.apply(&pool).await
    })
}

/// One test, because two servers take a while to start.
#[tokio::test]
async fn a_standby_is_named_and_becomes_the_primary() {
    let (first, both) = (registry(&[A]), registry(&[A, B]));
    let mut pair = Pair::start(async |primary| {
        let _report = Migrator::new(&first).apply(&mut connect(primary).await).await.unwrap();
    })
    .await;
    let pool = pool_of(2, &pair.standby());

    // With nothing pending it is as good as a primary.
    assert!(Migrator::new(&first).apply(&pool).await.unwrap().is_noop());
    let status = Migrator::new(&both).status(&pool).await.unwrap();
    assert_eq!((status.n_applied(), status.n_pending()), (1, 1));

    let error = Migrator::new(&both).apply(&pool).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(
        rendered(&error),
        "\
the server is a standby, where nothing can be written
  = note: nothing was changed
  = help: connect to the primary (`target_session_attrs=read-write`)
  = help: if this server is about to become the primary: `Migrator::wait_for_primary`"
    );
    let error = Migrator::new(&both).roll_back(&pool, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);

    // The wait is bounded, on either kind of connection.
    let recorder = Recorder::default();
    let bounded = Migrator::new(&both).wait_for_primary(SHORT).observer(recorder.clone());
    let mut client = connect(&pair.standby()).await;
    for error in [bounded.apply(&pool).await, bounded.apply(&mut client).await] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly);
        let text = format!("{error:#}");
        assert!(text.contains("waited for 2.0 s for a server to write to"), "{text}");
    }
    let line = "⏳ Waiting for a server to write to (0 s): the server is a standby, where nothing can be written";
    let lines = recorder.lines();
    assert!(!lines.is_empty() && lines.iter().all(|it| it == line), "{lines:?}");

    // What the primary does while a run waits is done: it need not become the primary itself.
    let health = Health::new();
    let other = registry(&[A, ("2_c.sql", "CREATE TABLE c (id int);")]);
    let run = applying(&pair.standby(), &other, &health);
    waits(&health).await;
    let _report = Migrator::new(&other).apply(&mut connect(&pair.primary()).await).await.unwrap();
    assert!(run.await.unwrap().unwrap().is_noop());

    // Promoted while three runs wait: one of them migrates.
    pair.stop_primary();
    let third = registry(&[A, ("2_c.sql", "CREATE TABLE c (id int);"), ("3_d.sql", "SELECT 1;")]);
    let healths = [Health::new(), Health::new(), Health::new()];
    let [one, two, _] = &healths;
    let runs = [applying(&pair.standby(), &third, one), applying(&pair.standby(), &third, two)];
    let waiting = Migrator::new(&third).wait_for_primary(LONG).observer(healths[2].clone());
    let promoting = async {
        for health in &healths {
            waits(health).await;
        }
        let promoted = connect(&pair.standby()).await;
        promoted.batch_execute("SELECT pg_promote()").await.unwrap();
    };
    let (on_client, ()) = tokio::join!(waiting.apply(&mut client), promoting);
    let mut n_done = on_client.unwrap().done().len();
    for run in runs {
        n_done += run.await.unwrap().unwrap().done().len();
    }
    assert_eq!(n_done, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let migrations = registry(&[A]);
    let mut pair = Pair::start(async |_| {}).await;
    let primary = pair.primary();
    pair.stop_primary();
    let error = Migrator::new(&migrations).apply(&pool_of(1, &primary)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    let bounded = Migrator::new(&migrations).wait_for_primary(SHORT);
    let error = bounded.apply(&pool_of(1, &primary)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(format!("{error:#}").contains("waited for 2.0 s"), "{error:#}");
    let health = Health::new();
    let run = applying(&primary, &migrations, &health);
    waits(&health).await;
    pair.start_primary();
    assert_eq!(run.await.unwrap().unwrap().done().len(), 1);
}

/// Waiting does not mend it.
#[tokio::test]
async fn what_does_not_pass_is_not_waited_for() {
    let migrations = registry(&[A]);
    let database = TestDatabase::new();
    let there = database.connection_string();
    let nowhere = format!("{there}_is_not_there");
    let waiting = |event: &Event<'_>| assert!(!matches!(event, Event::WaitingForPrimary { .. }));
    let migrator = Migrator::new(&migrations).wait_for_primary(LONG).observer(waiting);
    let error = migrator.apply(&pool_of(1, &nowhere)).await.unwrap_err();
    assert_eq!((error.kind(), error.code().unwrap().code()), (ErrorKind::Connection, "3D000"));
    assert_eq!(migrator.apply(&pool_of(1, &there)).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_session_that_may_not_write_yet_is_waited_for() {
    let database = TestDatabase::new();
    let migrations = registry(&[A, B, B_DOWN]);
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    let lock = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    let open = format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET ALL; COMMIT");
    database.run(&lock).await;
    let health = Health::new();
    let run = applying(&database.connection_string(), &migrations, &health);
    waits(&health).await;
    database.run(&open).await;
    assert_eq!(run.await.unwrap().unwrap().done().len(), 2);

    database.run(&lock).await;
    let pool = pool_of(1, &database.connection_string());
    let migrator = Migrator::new(&migrations).wait_for_primary(LONG).observer(health.clone());
    let opening = async {
        waits(&health).await;
        database.run(&open).await;
    };
    let (undone, ()) = tokio::join!(migrator.roll_back(&pool, 1), opening);
    assert_eq!(undone.unwrap().done().len(), 1);
}

/// A migrator that waits, and tells both.
fn waiting(registry: &Registry, (recorder, health): (Recorder, Health)) -> Migrator<'_> {
    Migrator::new(registry).wait_for_primary(LONG).observer(recorder).observer(health)
}

/// Runs a verb in a new session that may not write, and lets it. A handle on runs says nothing of it.
async fn let_write<T>(
    database: &TestDatabase,
    verb: impl AsyncFnOnce(&Pool, (Recorder, Health)) -> Result<T>,
) -> T {
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    database.run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    let pool = pool_of(2, &database.connection_string());
    let (recorder, health) = (Recorder::default(), Health::new());
    let opening = async {
        let line = "Waiting for a server to write to";
        until("the verb waits for a primary", async || recorder.text().contains(line)).await;
        assert_eq!(health.snapshot().phase, Phase::NotStarted);
        database.run(&format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET ALL; COMMIT")).await;
    };
    let observers = (recorder.clone(), health.clone());
    let (done, ()) = tokio::join!(verb(&pool, observers), opening);
    assert_eq!(health.snapshot().phase, Phase::NotStarted);
    done.unwrap_or_else(|error| panic!("{error:#}"))
}

#[tokio::test]
async fn whatever_writes_waits_for_a_session_that_may() {
    let database = TestDatabase::new();
    let (migrations, other) =
        (registry(&[A, B]), registry(&[("1_a.sql", "CREATE TABLE a (id bigint);"), B]));
    let recorded = let_write(&database, async |pool, both| {
        waiting(&migrations, both).baseline(pool, "1").await
    });
    assert_eq!(recorded.await.done().len(), 1);
    let_write(&database, async |pool, both| {
        waiting(&migrations, both).mark(pool, "2_b", Mark::Applied).await
    })
    .await;
    let repaired =
        let_write(&database, async |pool, both| waiting(&other, both).repair(pool).await);
    assert_eq!(repaired.await.repaired().len(), 1);

    database.run("DROP TABLE migrations, migrations_log").await;
    let plain = "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
                 executed_at timestamptz NOT NULL DEFAULT now())";
    database.run(plain).await;
    let adopted =
        let_write(&database, async |pool, both| waiting(&migrations, both).adopt(pool).await);
    assert!(adopted.await);

    database.run("DROP TABLE migrations, migrations_log").await;
    database
        .run("CREATE TABLE schema_version (version int4 NOT NULL); INSERT INTO schema_version VALUES (1)")
        .await;
    let recorded = let_write(&database, async |pool, both| {
        let migrator = waiting(&migrations, both).unproved(true);
        // What is only read needs no primary.
        let adoption = migrator.adoption(pool, &Origin::new(Tool::Tern)).await?;
        migrator.adopt_from(pool, &adoption).await
    });
    assert_eq!(recorded.await, 1);
}

/// A run that loses its connection and waits goes on migrating where it was, and says so.
#[tokio::test]
async fn a_run_that_has_to_wait_in_its_middle_says_that_it_goes_on() {
    let database = TestDatabase::new();
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    let proxy = Proxy::start(&database.connection_string()).await;
    let second = "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(2, 2);";
    let migrations = registry(&[A, ("2_gate.sql", Gate::PASS), ("3_gate.sql", second)]);
    let (gate, other_gate) = (database.gate().await, database.client().await);
    other_gate.batch_execute("SELECT pg_advisory_lock(2, 2)").await.unwrap();
    let health = Health::new();
    let run = applying(proxy.connection_string(), &migrations, &health);
    let is_at = async |n_done, name| match health.snapshot().phase {
        Phase::Migrating(it) => {
            it.n_done == n_done && it.current.is_some_and(|current| current.name == name)
        }
        _ => false,
    };
    until("the run is at the first gate", async || is_at(1, "2_gate").await).await;
    database.at_gate(1).await;
    let lock = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    database.run(&lock).await;
    let mut moment = proxy.hold(Side::Server, 0);
    gate.open().await;
    moment.comes().await;
    moment.cut();
    waits(&health).await;
    database.run(&format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET ALL; COMMIT")).await;
    until("the run is at the second gate", async || is_at(2, "3_gate").await).await;
    drop(other_gate);
    assert_eq!(run.await.unwrap().unwrap().done().len(), 3);
    assert!(health.is_ready());
}
