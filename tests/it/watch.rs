//! What is told of a statement that takes long, and that looking at it disturbs nobody.

use std::sync::{Arc, Mutex};

use deadpool_postgres::Pool;
use dunlin::{Console, Event, Health, Migrator, Observer, Phase, Registry, Report, ServerProgress};
use dunlin_tests::{Gate, TestDatabase, connect, pool_of, registry, until};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

type Run = JoinHandle<dunlin::Result<Report>>;

/// Keeps what is told of long statements.
#[derive(Clone, Debug, Default)]
struct Looks(Arc<Mutex<Vec<Look>>>);

/// At which statement, and what the server said of it.
type Look = (Option<String>, Option<ServerProgress>);

impl Observer for Looks {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::StatementProgress { statement, server, .. } = event {
            let statement = statement.map(ToString::to_string);
            self.0.lock().unwrap().push((statement, server.cloned()));
        }
    }
}

impl Looks {
    /// Waits for a look and gives the last one.
    async fn last(&self) -> Look {
        until("something is told", async || !self.0.lock().unwrap().is_empty()).await;
        self.0.lock().unwrap().last().cloned().unwrap()
    }

    /// Waits until the server has told something and gives it.
    async fn seen(&self) -> ServerProgress {
        until("the server tells something", async || {
            self.0.lock().unwrap().last().is_some_and(|(_, server)| server.is_some())
        })
        .await;
        self.last().await.1.unwrap()
    }
}

fn start(migrations: Registry, pool: &Pool) -> (Looks, Run) {
    let (looks, pool) = (Looks::default(), pool.clone());
    let observer = looks.clone();
    let run =
        tokio::spawn(
            async move { Migrator::new(&migrations).observer(observer).apply(&pool).await },
        );
    (looks, run)
}

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

/// A table of some blocks, and a function that stops before the gate in the middle of it.
const BIG: &str = "CREATE TABLE big AS SELECT n AS id, repeat('x', 500) AS text FROM generate_series(1, 1000) n; \
     CREATE FUNCTION slow(id int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
     $$ BEGIN IF id = 500 THEN PERFORM pg_advisory_xact_lock(1, 1); END IF; RETURN id; END $$;";

#[tokio::test]
async fn an_index_built_concurrently_says_for_whom_it_waits() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE items (id int)").await;
    let mut writer =
        connect(&format!("{} application_name=writer", database.connection_string())).await;
    let pid = pid(&writer).await;
    let transaction = writer.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO items VALUES (1)").await.unwrap();

    let index = "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY items_id ON items (id);";
    let (looks, health, lines) =
        (Looks::default(), Health::new(), Arc::new(Mutex::new(Vec::new())));
    let (pool, observers) = (database.pool().clone(), (looks.clone(), health.clone()));
    let keep = Arc::clone(&lines);
    let run = tokio::spawn(async move {
        let migrations = registry(&[("1_index.sql", index)]);
        let console = Console::new(|line: &str| keep.lock().unwrap().push(line.to_owned()));
        let migrator = Migrator::new(&migrations).observer(observers.0).observer(observers.1);
        migrator.observer(console).apply(&pool).await
    });
    let seen = looks.seen().await;
    assert_eq!(looks.last().await.0.as_deref(), Some("1 of 1, CREATE INDEX items_id"));
    assert_eq!(seen.command.as_deref(), Some("CREATE INDEX CONCURRENTLY"));
    assert_eq!(seen.relation.as_deref(), Some("items"));
    assert_eq!(seen.phase.as_deref(), Some("waiting for writers before build"));
    assert_eq!(seen.percent, Some(0.0));
    let session = seen.waits_for.unwrap();
    assert_eq!((session.pid, &*session.application), (pid, "writer"));
    assert_eq!(
        (&*session.state, &*session.query),
        ("idle in transaction", "INSERT INTO items VALUES (1)")
    );

    // The onlooker is idle between two looks, and holds no snapshot that the index would wait for.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND state LIKE 'idle in transaction%' AND application_name <> 'writer'";
    assert_eq!(database.number(others).await, 0);
    let json = health.snapshot().to_json();
    let progress = format!(
        r#","progress":{{"command":"CREATE INDEX CONCURRENTLY","relation":"items","phase":"waiting for writers before build","percent":0,"waits_for":{{"pid":{pid},"application":"writer"}}}}}}"#
    );
    assert!(json.ends_with(&progress), "{json}");
    transaction.rollback().await.unwrap();
    let _report = run.await.unwrap().unwrap();
    assert!(health.is_ready());

    let lines = lines.lock().unwrap();
    let at = lines.iter().position(|line| line.starts_with("   ⏳ Statement")).unwrap();
    let (front, back) = lines[at].split_once(" for ").unwrap();
    assert_eq!(front, "   ⏳ Statement 1 of 1, CREATE INDEX items_id");
    let (seconds, back) = back.split_once(" s: ").unwrap();
    assert!(seconds.parse::<f32>().unwrap() >= 2.0, "{seconds}");
    assert_eq!(back, "waiting for writers before build, 0 % of it");
    let waits =
        format!("      waits for pid {pid}, user `postgres`, application `writer`, connected for ");
    assert!(lines[at + 1].starts_with(&waits), "{}", lines[at + 1]);
    // The connection is the pool's again.
    assert_eq!((database.pool().status().size, database.pool().status().available), (2, 2));
}

#[tokio::test]
async fn an_index_in_a_transaction_says_how_far_it_is() {
    let database = TestDatabase::new();
    database.run(BIG).await;
    let gate = database.gate().await;
    let index = "SET LOCAL lock_timeout = 0;\nCREATE INDEX big_slow ON big (slow(id));";
    let (looks, run) = start(registry(&[("1_index.sql", index)]), database.pool());
    let seen = looks.seen().await;
    assert_eq!(looks.last().await.0, None);
    assert_eq!(seen.command.as_deref(), Some("CREATE INDEX"));
    assert_eq!(seen.relation.as_deref(), Some("big"));
    assert_eq!(seen.phase.as_deref(), Some("building index: scanning table"));
    let percent = seen.percent.unwrap();
    assert!(percent > 40.0 && percent < 60.0, "{percent}");
    assert!(seen.waits_for.is_some(), "{seen:?}");
    let words =
        format!("CREATE INDEX on big, building index: scanning table, {percent:.0} % of it");
    assert_eq!(seen.to_string(), words);
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

/// Nothing is counted while it sorts, so nothing is said of how much.
#[tokio::test]
async fn an_index_that_is_sorted_claims_no_percentage() {
    let database = TestDatabase::new();
    let order = "CREATE FUNCTION slow_order(a int, b int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM pg_advisory_xact_lock(1, 1); RETURN btint4cmp(a, b); END $$; \
         CREATE OPERATOR CLASS slow_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, \
         OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 slow_order(int, int);";
    database.run(&format!("{BIG} {order}")).await;
    let gate = database.gate().await;
    let index = "SET LOCAL lock_timeout = 0;\nCREATE INDEX big_id ON big (id slow_ops);";
    let (looks, run) = start(registry(&[("1_index.sql", index)]), database.pool());
    let seen = looks.seen().await;
    assert_eq!(seen.to_string(), "CREATE INDEX on big, building index: sorting live tuples");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_table_that_is_written_anew_says_so() {
    let database = TestDatabase::new();
    database.run(&format!("{BIG} CREATE INDEX big_slow ON big (slow(id));")).await;
    let gate = database.gate().await;
    let rewrite = "-- dunlin: no-transaction\nVACUUM FULL big;";
    let (looks, run) = start(registry(&[("1_vacuum.sql", rewrite)]), database.pool());
    let seen = looks.seen().await;
    assert_eq!(looks.last().await.0.as_deref(), Some("1 of 1, VACUUM"));
    assert_eq!(seen.to_string(), "VACUUM FULL on big, rebuilding index");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_copy_says_so() {
    let database = TestDatabase::new();
    let stop = "CREATE TABLE numbers (id int CHECK (slow(id) > 0));";
    database.run(&format!("{BIG} {stop}")).await;
    let gate = database.gate().await;
    let copy = "SET LOCAL lock_timeout = 0;\nCOPY numbers FROM PROGRAM 'seq 1 1000';";
    let (looks, run) = start(registry(&[("1_copy.sql", copy)]), database.pool());
    let seen = looks.seen().await;
    assert_eq!(seen.to_string(), "COPY FROM on numbers, waiting for a lock");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_has_no_view_of_its_own_says_that_it_waits() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let holder = database.number(
        "SELECT pid::int8 FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE datname = current_database() AND locktype = 'advisory' AND granted",
    );
    let holder = holder.await;
    let (looks, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), database.pool());
    let seen = looks.seen().await;
    assert_eq!(seen.to_string(), "waiting for a lock");
    assert_eq!(i64::from(seen.waits_for.unwrap().pid), holder);
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

/// The only connection is the run's own, and it must not wait for itself.
#[tokio::test]
async fn a_pool_of_one_is_not_waited_for() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let pool = pool_of(1, &database.connection_string());
    let (looks, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), &pool);
    assert_eq!(looks.last().await, (None, None));
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
    assert_eq!((pool.status().size, pool.status().available), (1, 1));
}

/// Somebody who waits for a connection of the pool gets it before the onlooker.
#[tokio::test]
async fn the_application_comes_first() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let pool = pool_of(2, &database.connection_string());
    let taken = pool.get().await.unwrap();
    let (looks, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), &pool);
    assert_eq!(looks.last().await, (None, None));
    drop(taken);
    // Now there is one to spare.
    assert_eq!(looks.seen().await.to_string(), "waiting for a lock");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_has_no_onlooker() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let (looks, mut client) = (Looks::default(), database.client().await);
    let observer = looks.clone();
    let run = tokio::spawn(async move {
        let migrations = registry(&[("1_gate.sql", Gate::PASS)]);
        Migrator::new(&migrations).observer(observer).apply(&mut client).await
    });
    assert_eq!(looks.last().await, (None, None));
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dropped_run_gives_back_what_its_onlooker_had() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let (looks, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), database.pool());
    let _seen = looks.seen().await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    // The connection of the run itself is closed.
    let status = database.pool().status();
    assert_eq!((status.size, status.available), (1, 1));
    gate.open().await;
    database.no_locks().await;
}

#[tokio::test]
async fn a_server_that_refuses_the_onlooker_does_not_fail_the_run() {
    let database = TestDatabase::new();
    let role = database.texts("SELECT current_database()::text || '_role'").await.remove(0);
    database.run(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")).await;
    database.run(&format!("GRANT ALL ON SCHEMA public TO {role}")).await;
    let gate = database.gate().await;
    let there = database.connection_string().replace("user=postgres", &format!("user={role}"));
    let pool = pool_of(4, &there);
    let (looks, run) = start(registry(&[("1_gate.sql", Gate::PASS)]), &pool);
    assert_eq!(looks.last().await, (None, None));
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
    assert_eq!(pool.status().size, 1);
    pool.close();
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn an_undo_and_a_migration_in_rust_are_looked_at_as_well() {
    let database = TestDatabase::new();
    let functions = dunlin_tests::Functions {
        name: "1_rust",
        up: |cx| Box::pin(async { cx.batch_execute(Gate::PASS).await }),
        down: Some(|cx| Box::pin(async { cx.batch_execute(Gate::PASS).await })),
    };
    let migrations = move || dunlin_tests::registry_with(&[], &[functions]);
    let gate = database.gate().await;
    let (looks, run) = start(migrations(), database.pool());
    assert_eq!(looks.seen().await.to_string(), "waiting for a lock");
    gate.open().await;
    let _report = run.await.unwrap().unwrap();

    let gate = database.gate().await;
    let (health, pool) = (Health::new(), database.pool().clone());
    let observer = health.clone();
    let run = tokio::spawn(async move {
        let migrations = migrations();
        Migrator::new(&migrations).observer(observer).roll_back(&pool, 1).await
    });
    until("the undo is looked at", async || match health.snapshot().phase {
        Phase::Migrating(it) => it.current.is_some_and(|current| current.server.is_some()),
        _ => false,
    })
    .await;
    gate.open().await;
    let _report = run.await.unwrap().unwrap();
}
