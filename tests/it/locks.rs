//! Locks of others: how long statements wait for them, and how they are tried again.

use std::time::Duration;

use dunlin::{ErrorKind, Event, Migrator, Registry, Report, Result};
use dunlin_tests::{Functions, Gate, TestDatabase, connect, registry, registry_with, until};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

const BRIEFLY: Duration = Duration::from_millis(40);

/// A try that failed: the migration, what the server said, who was in the way.
type Try = (String, String, Vec<String>);

/// Runs with little patience for each lock, and tells of each try that failed.
fn run(
    registry: Registry,
    client: Client,
    up: bool,
) -> (tokio::task::JoinHandle<(Result<Report>, Client)>, UnboundedReceiver<Try>) {
    let (tell, told) = unbounded_channel();
    let mut client = client;
    let task = tokio::spawn(async move {
        let observer = move |event: &Event<'_>| {
            if let Event::Retrying { name, reason, blockers, .. } = event {
                let blockers = blockers.iter().map(ToString::to_string).collect();
                drop(tell.send(((*name).to_owned(), (*reason).to_owned(), blockers)));
            }
        };
        let migrator = Migrator::new(&registry)
            .lock_timeout(BRIEFLY)
            .lock_timeout_concurrently(BRIEFLY)
            .observer(observer);
        let result = match up {
            true => migrator.apply(&mut client).await,
            false => migrator.roll_back(&mut client, 1).await,
        };
        (result, client)
    });
    (task, told)
}

/// Somebody who uses a table, and stops when a run has failed once for want of a lock.
async fn in_the_way(
    database: &TestDatabase,
    takes: &str,
    registry: Registry,
    up: bool,
) -> (Report, Try) {
    let billing =
        connect(&format!("{} application_name=billing", database.connection_string())).await;
    billing.batch_execute(&format!("BEGIN; {takes}")).await.unwrap();
    let (run, mut tries) = run(registry, database.client().await, up);
    let first = tries.recv().await.unwrap();
    billing.batch_execute("COMMIT").await.unwrap();
    let (result, _client) = run.await.unwrap();
    (result.unwrap_or_else(|error| panic!("{error:#}")), first)
}

const READS: &str = "SELECT FROM busy";

#[tokio::test]
async fn what_cannot_get_its_lock_is_tried_again() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int); CREATE TABLE tally (what text)").await;
    let migrations = registry_with(
        &[
            ("1_a.sql", "INSERT INTO tally VALUES ('1');\nALTER TABLE busy ADD COLUMN a int;"),
            ("1_a.down.sql", "ALTER TABLE busy DROP COLUMN a;"),
            (
                "2_b.sql",
                "-- dunlin: no-transaction\nINSERT INTO tally VALUES ('2');\nALTER TABLE busy ADD COLUMN b int;\nINSERT INTO tally VALUES ('3');",
            ),
            (
                "2_b.down.sql",
                "-- dunlin: no-transaction\nINSERT INTO tally VALUES ('4');\nALTER TABLE busy DROP COLUMN b;",
            ),
        ],
        &[Functions {
            name: "3_c",
            up: |cx| {
                Box::pin(async {
                    cx.batch_execute("INSERT INTO tally VALUES ('5')").await?;
                    cx.batch_execute("ALTER TABLE busy ADD COLUMN c int").await
                })
            },
            down: Some(|cx| {
                Box::pin(async { cx.batch_execute("ALTER TABLE busy DROP COLUMN c").await })
            }),
        }],
    );
    let timed_out = "canceling statement due to lock timeout (55P03)";
    for (n, name) in [(1, "1_a"), (2, "2_b"), (3, "3_c")] {
        let some = first_of(&migrations, n);
        let (report, (failed, reason, blockers)) = in_the_way(&database, READS, some, true).await;
        assert_eq!((report.done().len(), report.n_total()), (1, n));
        assert_eq!((failed.as_str(), report.done()[0].name()), (name, name));
        assert!(reason.contains(timed_out), "{reason}");
        is_billing(&blockers);
    }
    for (n, name) in [(2, "3_c"), (1, "2_b"), (0, "1_a")] {
        let (report, (failed, _, blockers)) = in_the_way(&database, READS, migrations, false).await;
        is_billing(&blockers);
        assert_eq!((report.done().len(), report.n_total(), failed.as_str()), (1, n, name));
    }
    let tally = database.texts("SELECT what FROM tally ORDER BY 1").await;
    assert_eq!(tally, ["1", "2", "3", "4", "5"]);
}

/// Whoever is in the way is named, with what he holds and does.
#[track_caller]
fn is_billing(blockers: &[String]) {
    let [blocker] = blockers else { panic!("{blockers:?}") };
    let (who, what) = blocker.split_once(", idle in transaction for ").unwrap();
    assert!(who.starts_with("pid "), "{blocker}");
    assert!(who.ends_with(", application `billing`, holds AccessShareLock on busy"), "{blocker}");
    assert!(what.ends_with(" s: BEGIN; SELECT FROM busy"), "{blocker}");
}

/// The same build with less in it.
fn first_of(migrations: &Registry, n: usize) -> Registry {
    let files: Vec<_> = migrations.iter().take(n).collect();
    let mut some = Vec::new();
    for migration in &files {
        if migration.path().ends_with(".sql") {
            some.push((format!("{}.sql", migration.name()), migration.text()));
        }
    }
    let some: Vec<_> = some.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    if n == migrations.len() { *migrations } else { registry(&some) }
}

#[tokio::test]
async fn an_index_whose_build_was_cut_off_is_built_again() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let migrations = registry(&[(
        "1_a.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS busy_id ON busy (id);",
    )]);
    // It writes, so the build must wait for it.
    let writes = "INSERT INTO busy VALUES (1)";
    let (report, (_, reason, _)) = in_the_way(&database, writes, migrations, true).await;
    assert!(reason.contains("55P03"), "{reason}");
    assert_eq!(report.done().len(), 1);
    let indexes = "SELECT concat(relname, ' ', indisvalid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 'busy'::regclass";
    assert_eq!(database.texts(indexes).await, ["busy_id t"]);
}

#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE x (id int); CREATE TABLE y (id int)").await;
    let migrations = registry(&[(
        "1_a.sql",
        "-- dunlin: lock-timeout off\nALTER TABLE x ADD COLUMN a int;\nALTER TABLE y ADD COLUMN a int;",
    )]);
    let other = database.client().await;
    other.batch_execute("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE y").await.unwrap();
    let through = format!("{} options='-c deadlock_timeout=2s'", database.connection_string());
    let (run, mut tries) = run(migrations, connect(&through).await, true);
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'y'::regclass AND NOT granted";
    until("the migration waits", async || database.number(waits).await == 1).await;
    let crossing = tokio::spawn(async move {
        other.batch_execute("LOCK TABLE x; COMMIT").await.unwrap();
    });
    let (_, reason, _) = tries.recv().await.unwrap();
    assert!(reason.contains("deadlock detected (40P01)"), "{reason}");
    crossing.await.unwrap();
    assert_eq!(run.await.unwrap().0.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await;
    let text = format!(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nSELECT n FROM t;\n{}\nUPDATE t SET n = n + 10;",
        Gate::PASS
    );
    let gate = database.gate().await;
    let (run, mut tries) = run(registry(&[("1_a.sql", &text)]), database.client().await, true);
    database.at_gate(1).await;
    database.run("UPDATE t SET n = n + 100").await;
    gate.open().await;
    let (_, reason, _) = tries.recv().await.unwrap();
    assert!(reason.contains("(40001)"), "{reason}");
    assert_eq!(run.await.unwrap().0.unwrap().done().len(), 1);
    assert_eq!(database.number("SELECT n::bigint FROM t").await, 111);
}

/// Everybody who comes behind a statement that waits for a table waits as well, so it lets them through.
#[tokio::test]
async fn readers_get_through_while_a_migration_cannot_get_its_table() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let reader = database.client().await;
    reader.batch_execute(&format!("BEGIN; {READS}")).await.unwrap();
    let migrations = registry(&[("1_a.sql", "ALTER TABLE busy ADD COLUMN a int;")]);
    let (run, _tries) = run(migrations, database.client().await, true);
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'busy'::regclass AND NOT granted";
    for _ in 0..3 {
        until("the migration waits", async || database.number(waits).await == 1).await;
        assert_eq!(database.number("SELECT count(*) FROM busy").await, 0);
    }
    assert!(!run.is_finished());
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(run.await.unwrap().0.unwrap().done().len(), 1);
}

#[tokio::test]
async fn there_is_no_try_without_a_limit() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE busy (id int)").await;
    let reader = database.client().await;
    reader.batch_execute(&format!("BEGIN; {READS}")).await.unwrap();
    let files = [
        ("1_a.sql", "ALTER TABLE busy ADD COLUMN a int;"),
        ("1_a.sql", "-- dunlin: no-transaction\nALTER TABLE busy ADD COLUMN a int;"),
    ];
    let in_rust = Functions {
        name: "1_a",
        up: |cx| Box::pin(async { cx.batch_execute("ALTER TABLE busy ADD COLUMN a int").await }),
        down: None,
    };
    let registries = [registry(&files[..1]), registry(&files[1..]), registry_with(&[], &[in_rust])];
    for migrations in &registries {
        for retry_for in [Duration::ZERO, BRIEFLY * 5] {
            let migrator = Migrator::new(migrations).lock_timeout(BRIEFLY).lock_retries(retry_for);
            let error = migrator.apply(database.pool()).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.code().unwrap().code()),
                (ErrorKind::Migration, "55P03")
            );
            let text = format!("{error:#}");
            assert!(text.contains("it was tried "), "{text}");
            assert!(text.contains("end what holds the lock, or allow more: `Migrator::lock_timeout`, `Migrator::lock_retries`"), "{text}");
        }
        database.run("DROP TABLE migrations").await;
    }
}

/// A part of it may be done.
#[tokio::test]
async fn a_procedure_that_commits_is_not_tried_again() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE TABLE busy (id int); CREATE TABLE tally (what text); \
             CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO tally VALUES ('p'); COMMIT; ALTER TABLE busy ADD COLUMN a int; END $$",
        )
        .await;
    let reader = database.client().await;
    reader.batch_execute(&format!("BEGIN; {READS}")).await.unwrap();
    let migrations = registry(&[("1_a.sql", "-- dunlin: no-transaction\nCALL p();")]);
    let error =
        Migrator::new(&migrations).lock_timeout(BRIEFLY).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.code().unwrap().code(), "55P03");
    assert_eq!(database.number("SELECT count(*) FROM tally").await, 1);
}

/// Nobody waits for one who validates.
#[tokio::test]
async fn what_validates_has_a_budget_of_its_own() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE seen (n int, timeout text); \
             CREATE FUNCTION look(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO seen VALUES (n, current_setting('lock_timeout')); RETURN true; END $$; \
             ALTER TABLE t ADD CONSTRAINT c1 CHECK (look(1)) NOT VALID; \
             ALTER TABLE t ADD CONSTRAINT c2 CHECK (look(2)) NOT VALID; \
             ALTER TABLE t ADD CONSTRAINT c3 CHECK (look(3)) NOT VALID; \
             ALTER TABLE t ADD CONSTRAINT c4 CHECK (look(4)) NOT VALID; \
             ALTER TABLE t ADD CONSTRAINT c5 CHECK (look(5)) NOT VALID",
        )
        .await;
    let migrations = registry(&[
        ("1_a.sql", "ALTER TABLE t VALIDATE CONSTRAINT c1;"),
        ("2_b.sql", "CREATE TABLE other (id int); ALTER TABLE t VALIDATE CONSTRAINT c2;"),
        (
            "3_c.sql",
            "-- dunlin: no-transaction\nALTER TABLE t VALIDATE CONSTRAINT c3;\nALTER TABLE t VALIDATE CONSTRAINT c4, ADD COLUMN x int;",
        ),
        ("4_d.sql", "-- dunlin: lock-timeout 9s\nALTER TABLE t VALIDATE CONSTRAINT c5;"),
    ]);
    let migrator = Migrator::new(&migrations)
        .lock_timeout(Duration::from_secs(3))
        .lock_timeout_concurrently(Duration::from_secs(7));
    let _report = migrator.apply(database.pool()).await.unwrap();
    let seen = database.texts("SELECT concat(n, ' ', timeout) FROM seen ORDER BY n").await;
    assert_eq!(seen, ["1 7s", "2 3s", "3 7s", "4 3s", "5 9s"]);
}

/// Whoever corrects the history makes nobody wait for longer than a migration may, an older table that
/// becomes the history included, and comes again.
#[tokio::test]
async fn the_history_table_itself_is_waited_for_briefly_and_again() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
             executed_at timestamptz NOT NULL DEFAULT now()); INSERT INTO migrations (name) VALUES ('1_a')",
        )
        .await;
    let migrations = registry(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")]);
    let migrator = |retries| {
        let migrator = Migrator::new(&migrations).lock_timeout(Duration::from_millis(20));
        migrator.lock_retries(retries)
    };
    let busy = Duration::from_millis(300);
    let reader = database.client().await;
    let read = "BEGIN; LOCK TABLE migrations IN ACCESS SHARE MODE";
    reader.batch_execute(read).await.unwrap();
    let error = migrator(busy).adopt(database.pool()).await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE), "{error:#}");
    let text = format!("{error:#}");
    assert!(text.contains("nothing was changed") && text.contains("it was tried"), "{text}");
    assert_eq!(database.n_locks().await, 0);

    let long = migrator(Duration::from_secs(60));
    let after_a_while = async |sql: &str| {
        // It is tried again, which a session that waits for the table shows.
        until("somebody waits for the table", async || {
            let question = "SELECT count(*) FROM pg_locks WHERE relation = 'migrations'::regclass AND NOT granted";
            database.number(question).await > 0
        })
        .await;
        reader.batch_execute(sql).await.unwrap();
    };
    let (adopted, ()) = tokio::join!(long.adopt(database.pool()), after_a_while("ROLLBACK"));
    assert!(adopted.unwrap());

    let write = "BEGIN; LOCK TABLE migrations IN SHARE MODE";
    reader.batch_execute(write).await.unwrap();
    let error = migrator(busy).baseline(database.pool(), "2_b").await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::LOCK_NOT_AVAILABLE), "{error:#}");
    let (done, ()) = tokio::join!(long.baseline(database.pool(), "2_b"), after_a_while("ROLLBACK"));
    assert_eq!(done.unwrap().done().len(), 1);
    assert_eq!(database.applied().await, ["1_a", "2_b"]);
    database.no_locks().await;
}
