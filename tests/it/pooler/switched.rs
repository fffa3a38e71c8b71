//! A pooler in transaction mode that answers one message of a run from another session of the server, and
//! the next one from a third.

use std::sync::atomic::{AtomicBool, Ordering};

use dunlin::{ErrorKind, Migrator, Registry, Report, Result, Target};
use dunlin_tests::{Pgbouncer, Proxy, Side, TestDatabase, connect, registry};
use tokio::sync::Mutex;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::cuts::stride;

/// Three for a run, and one that nobody uses.
const N_SESSIONS: usize = 4;

/// Which run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Fresh,
    /// Of a file without a transaction that was cut off in its last statement and left an invalid index.
    Resumed,
    Undo,
    /// Nothing is run.
    Baseline,
    /// Of an older tracking table, with a baseline behind it.
    Adopt,
}

fn migrations() -> Registry {
    registry(&[
        ("1_tally.sql", "CREATE SCHEMA s; CREATE TABLE s.tally (what text);"),
        (
            "2_index.sql",
            "-- dunlin: no-transaction\nSET search_path TO s;\nSET work_mem TO '7MB';\n\
             PREPARE p AS SELECT 1;\nINSERT INTO tally VALUES ('2');\n\
             CREATE INDEX CONCURRENTLY i ON tally (what);",
        ),
        (
            "2_index.down.sql",
            "-- dunlin: no-transaction\nSET search_path TO s;\nDROP INDEX CONCURRENTLY i;\n\
             DELETE FROM tally WHERE what = '2';",
        ),
        ("3_more.sql", "SET work_mem TO '7MB'; INSERT INTO s.tally VALUES ('3');"),
        ("3_more.down.sql", "DELETE FROM s.tally WHERE what = '3';"),
    ])
}

/// The session that the pooler lent last, as soon as it has it back. Until it is given back nobody else
/// gets it.
async fn take(through: &str) -> Client {
    let client = connect(through).await;
    client.batch_execute("BEGIN; SELECT 1").await.unwrap();
    client
}

/// The pooler closes the session of a client that goes within a transaction.
async fn give_back(clients: &mut Vec<Client>) {
    for client in clients.drain(..) {
        client.batch_execute("COMMIT").await.unwrap();
    }
}

/// Gives each session of the pooler something of its own.
async fn furnish(through: &str) {
    let mut clients = Vec::new();
    for n in 0..N_SESSIONS {
        let client = take(through).await;
        let own = format!("PREPARE own_{n} AS SELECT {n}; SET temp_buffers TO '{}MB'", n + 1);
        client.batch_execute(&own).await.unwrap();
        clients.push(client);
    }
    give_back(&mut clients).await;
}

/// What each session of the pooler has.
async fn furniture(through: &str) -> Vec<Vec<String>> {
    let question = "SELECT name || ' = ' || setting FROM pg_settings WHERE source = 'session' \
         AND name NOT IN ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable') \
         UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements ORDER BY 1";
    let (mut clients, mut all) = (Vec::new(), Vec::new());
    for _ in 0..N_SESSIONS {
        let client = take(through).await;
        let answers = client.simple_query(question).await.unwrap();
        let of_row = |answer: &SimpleQueryMessage| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        all.push(answers.iter().filter_map(of_row).collect());
        clients.push(client);
    }
    give_back(&mut clients).await;
    all
}

/// What was done before the run.
async fn prepare(run: Run, registry: &Registry, database: &TestDatabase) {
    if run == Run::Adopt {
        database
            .run(
                "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
                 executed_at timestamptz NOT NULL DEFAULT now()); INSERT INTO migrations (name) VALUES ('1_tally')",
            )
            .await;
    }
    if matches!(run, Run::Resumed | Run::Undo) {
        let applied = Migrator::new(registry).apply(&mut database.client().await).await;
        assert_eq!(applied.unwrap().n_total(), 3);
    }
    if run == Run::Resumed {
        database
            .run(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's.i'::regclass; \
                 UPDATE migrations SET statements_done = 4 WHERE name = '2_index'; \
                 DELETE FROM migrations WHERE name = '3_more'; DELETE FROM s.tally WHERE what = '3'",
            )
            .await;
    }
}

/// A run whose message behind so many is answered from another session than the one before, and whose
/// next one from a third; and whether it came so far.
async fn switched(
    run: Run,
    n_before: usize,
    registry: &Registry,
    through: &str,
) -> (Result<Report>, bool) {
    let proxy = Proxy::start(through).await;
    let mut client = connect(proxy.connection_string()).await;
    let migrator = Migrator::new(registry);
    let running = async {
        match run {
            Run::Fresh | Run::Resumed => migrator.apply(&mut client).await,
            Run::Undo => migrator.roll_back(&mut client, 2).await,
            Run::Baseline => migrator.baseline(&mut client, Target::Latest).await,
            Run::Adopt => match migrator.adopt(&mut client).await {
                Ok(_) => migrator.baseline(&mut client, Target::Latest).await,
                Err(error) => Err(error),
            },
        }
    };
    let (taken, has_come) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let switching = async {
        let mut taken = taken.lock().await;
        for n in [n_before, 0] {
            let mut moment = proxy.hold(Side::Client, n);
            moment.comes().await;
            has_come.store(true, Ordering::Relaxed);
            taken.push(take(through).await);
            moment.pass();
        }
        let mut moment = proxy.hold(Side::Client, 0);
        moment.comes().await;
        give_back(&mut taken).await;
        moment.pass();
        std::future::pending::<Result<Report>>().await
    };
    let result = tokio::select! {
        result = running => result,
        never = switching => never,
    };
    give_back(&mut taken.into_inner()).await;
    (result, has_come.into_inner())
}

/// What a run has done without its pooler's help is done by running again without it, once.
async fn completes(run: Run, registry: &Registry, database: &TestDatabase) {
    let (mut client, migrator) = (database.client().await, Migrator::new(registry));
    if matches!(run, Run::Baseline | Run::Adopt) {
        let _adopted = migrator.adopt(&mut client).await.unwrap();
        let done = migrator.baseline(&mut client, Target::Latest).await;
        assert_eq!(done.unwrap_or_else(|error| panic!("{run:?}: {error:#}")).n_total(), 3);
        assert_eq!(database.number("SELECT count(*) FROM migrations").await, 3);
        return;
    }
    let (done, expected) = match run {
        Run::Fresh | Run::Resumed => (migrator.apply(&mut client).await, ["2", "3"].as_slice()),
        _ => (migrator.roll_back(&mut client, "1").await, [].as_slice()),
    };
    let report = done.unwrap_or_else(|error| panic!("{run:?}: {error:#}"));
    assert_eq!(report.n_total(), expected.len() + 1);
    assert_eq!(database.texts("SELECT what FROM s.tally ORDER BY 1").await, expected);
    let index =
        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('s.i') AND indisvalid";
    assert_eq!(database.number(index).await, i64::from(run != Run::Undo));
}

/// One run that is switched at a message leaves the other sessions as they were.
async fn at(
    run: Run,
    n: usize,
    registry: &Registry,
    pooler: &Pgbouncer,
) -> (TestDatabase, Result<Report>, bool) {
    let database = TestDatabase::new();
    let through = pooler.connection_string(&database.connection_string());
    prepare(run, registry, &database).await;
    furnish(&through).await;
    let before = furniture(&through).await;
    let (result, has_come) = switched(run, n, registry, &through).await;
    let what = || format!("{run:?}, message {n}: {result:?}");
    if let Err(error) = &result {
        assert_eq!(error.kind(), ErrorKind::Pooler, "{}", what());
    }
    assert_eq!(database.n_locks().await, 0, "{}", what());
    // The one with the lock is ended if the pooler does not hand it to the run again.
    let (new, kept): (Vec<_>, Vec<_>) =
        furniture(&through).await.into_iter().partition(Vec::is_empty);
    let is_clean = new.len() <= 1 && kept.iter().all(|it| before.contains(it));
    assert!(is_clean, "{}: {kept:?}", what());
    assert!(has_come || result.is_ok() && n > 5, "{}", what());
    (database, result, has_come)
}

async fn sweep(run: Run, n_everyday: usize) {
    let (pooler, registry) = (Pgbouncer::start(N_SESSIONS).await, migrations());
    for n in (0..).step_by(stride(n_everyday)) {
        let (database, _result, has_come) = at(run, n, &registry, &pooler).await;
        completes(run, &registry, &database).await;
        if !has_come {
            return;
        }
    }
}

#[tokio::test]
async fn an_apply_changes_nothing_in_the_other_sessions() {
    sweep(Run::Fresh, 3).await;
}

/// With the first of many, statements are prepared for the rest.
#[tokio::test]
async fn nor_does_one_of_many() {
    let files: Vec<_> = (1..=20)
        .map(|it| (format!("{it}_m.sql"), format!("CREATE TABLE t{it} (id int);")))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let (pooler, registry) = (Pgbouncer::start(N_SESSIONS).await, registry(&files));
    for n in (0..).step_by(stride(4)) {
        let (database, _result, has_come) = at(Run::Fresh, n, &registry, &pooler).await;
        let done = Migrator::new(&registry).apply(&mut database.client().await).await;
        assert_eq!(done.unwrap_or_else(|error| panic!("{n}: {error:#}")).n_total(), 20);
        if !has_come {
            return;
        }
    }
}

/// The first thing it does is to set again what the finished statements had set.
#[tokio::test]
async fn nor_does_one_that_goes_on_where_another_stopped() {
    sweep(Run::Resumed, 3).await;
}

#[tokio::test]
async fn nor_does_an_undo() {
    sweep(Run::Undo, 5).await;
}

#[tokio::test]
async fn nor_does_what_only_changes_the_history() {
    sweep(Run::Baseline, 1).await;
    sweep(Run::Adopt, 1).await;
}
