//! Many starters at once: each migration runs once, nobody fails, and the lock always comes free.

mod release;
mod waiting;

use std::process::Stdio;
use std::time::Duration;

use dunlin::{Migrator, Registry};
use dunlin_tests::{Gate, TestDatabase, pool_of, registry, until};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const N_STARTERS: usize = 32;

/// None of these can run twice: a second time is an error, or is seen in `counter`.
const NOT_IDEMPOTENT: [(&str, &str); 4] = [
    (
        "1_counter.sql",
        "CREATE TABLE counter (migration text);\nINSERT INTO counter VALUES ('1');\n",
    ),
    ("2_users.sql", "CREATE TABLE users (id int);\nINSERT INTO counter VALUES ('2');\n"),
    (
        "3_index.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY users_id ON users (id);\nINSERT INTO counter VALUES ('3');\n",
    ),
    ("4_enum.sql", "CREATE TYPE mood AS ENUM ('ok');\nINSERT INTO counter VALUES ('4');\n"),
];

const NAMES: [&str; 4] = ["1_counter", "2_users", "3_index", "4_enum"];

/// The process of an application that migrates when it starts.
struct Starter {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    lines: Vec<String>,
}

impl Starter {
    /// Starts it up to the moment before it touches the database.
    async fn ready(database: &TestDatabase, folder: &std::path::Path, name: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_starter"))
            .arg(format!("{} application_name={name}", database.connection_string()))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut starter = Self { child, stdout, lines: Vec::new() };
        starter.says("ready").await;
        starter
    }

    fn go(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Reads on until a line begins so, for a minute.
    async fn says(&mut self, prefix: &str) {
        let reading = async {
            loop {
                let line = self.stdout.next_line().await.unwrap();
                let Some(line) = line else { panic!("it ended: {:?}", self.lines) };
                self.lines.push(line);
                if self.lines.last().is_some_and(|line| line.starts_with(prefix)) {
                    return;
                }
            }
        };
        let read = tokio::time::timeout(Duration::from_secs(60), reading).await;
        assert!(read.is_ok(), "no line `{prefix}...`, but {:?}", self.lines);
    }

    /// Waits until it ends well and returns the migrations it applied.
    async fn applied(mut self) -> Vec<String> {
        self.says("total 4").await;
        let mut rest = String::new();
        let _n = self.stdout.into_inner().read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "");
        assert!(self.child.wait().await.unwrap().success());
        let applied = self.lines.iter().filter_map(|line| line.strip_prefix("applied "));
        applied.map(str::to_owned).collect()
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Files in a folder that is removed with the value.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        Self(dunlin_tests::folder(files))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[track_caller]
fn each_once(mut applied: Vec<String>) {
    applied.sort();
    assert_eq!(applied, NAMES);
}

async fn is_complete(database: &TestDatabase) {
    assert_eq!(database.applied().await, NAMES);
    let counted = database.texts("SELECT migration FROM counter ORDER BY 1").await;
    assert_eq!(counted, ["1", "2", "3", "4"]);
    let valid =
        "SELECT count(*) FROM pg_index WHERE indexrelid = 'users_id'::regclass AND indisvalid";
    assert_eq!(database.number(valid).await, 1);
    assert_eq!(database.n_locks().await, 0);
}

/// All at once, on a database where the first so many are applied.
async fn processes(n_before: usize) {
    let database = TestDatabase::new();
    let before = registry(&NOT_IDEMPOTENT[..n_before]);
    let _report = Migrator::new(&before).apply(database.pool()).await.unwrap();
    let folder = Folder::new(&NOT_IDEMPOTENT);
    let mut starters = Vec::new();
    for n in 0..N_STARTERS {
        starters.push(Starter::ready(&database, &folder.0, &format!("starter{n}")).await);
    }
    starters.iter_mut().for_each(Starter::go);
    let mut applied = Vec::new();
    for starter in starters {
        applied.extend(starter.applied().await);
    }
    applied.sort();
    assert_eq!(applied, NAMES[n_before..]);
    is_complete(&database).await;
}

#[tokio::test]
async fn thirty_two_processes_on_an_empty_database() {
    processes(0).await;
}

#[tokio::test]
async fn thirty_two_processes_with_migrations_pending() {
    processes(2).await;
}

#[tokio::test]
async fn thirty_one_waiting_processes_do_not_hold_up_an_index_built_concurrently() {
    let database = TestDatabase::new();
    let text = format!("{}\n{}", Gate::PASS, NOT_IDEMPOTENT[0].1);
    let mut files = NOT_IDEMPOTENT;
    files[0].1 = &text;
    let folder = Folder::new(&files);
    let gate = database.gate().await;
    let mut first = Starter::ready(&database, &folder.0, "first").await;
    first.go();
    database.at_gate(1).await;
    let mut waiting = Vec::new();
    for n in 1..N_STARTERS {
        let mut starter = Starter::ready(&database, &folder.0, &format!("starter{n}")).await;
        starter.go();
        starter.says("Waiting for the migration lock").await;
        waiting.push(starter);
    }
    let in_transaction = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'starter%' AND datname = current_database() AND backend_xmin IS NOT NULL AND state <> 'active'";
    assert_eq!(database.number(in_transaction).await, 0);
    gate.open().await;
    assert_eq!(first.applied().await, NAMES);
    for starter in waiting {
        assert_eq!(starter.applied().await, [""; 0]);
    }
    is_complete(&database).await;
}

#[tokio::test]
async fn a_killed_starter_is_replaced_by_one_that_waits() {
    let database = TestDatabase::new();
    let text = format!("{}\n{}", Gate::PASS, NOT_IDEMPOTENT[1].1);
    let mut files = NOT_IDEMPOTENT;
    files[1].1 = &text;
    let folder = Folder::new(&files);
    let gate = database.gate().await;
    let mut first = Starter::ready(&database, &folder.0, "first").await;
    first.go();
    database.at_gate(1).await;
    let mut others = Vec::new();
    for name in ["second", "third"] {
        let mut starter = Starter::ready(&database, &folder.0, name).await;
        starter.go();
        starter.says("Waiting for the migration lock").await;
        others.push(starter);
    }
    first.kill().await;
    // Another takes over in the middle of the statement that the dead one had begun.
    let holder = "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1";
    until("another takes over", async || {
        database.texts(holder).await.iter().any(|name| name != "first")
    })
    .await;
    database.at_gate(1).await;
    gate.open().await;
    let mut applied = Vec::new();
    for starter in others {
        applied.extend(starter.applied().await);
    }
    applied.sort();
    assert_eq!(applied, NAMES[1..]);
    is_complete(&database).await;
}

#[tokio::test]
async fn a_starter_that_is_killed_while_it_builds_an_index_is_replaced() {
    let database = TestDatabase::new();
    let index = NOT_IDEMPOTENT[2].1.replace("CONCURRENTLY", "CONCURRENTLY IF NOT EXISTS");
    let mut files = NOT_IDEMPOTENT;
    files[2].1 = &index;
    let _report = Migrator::new(&registry(&files[..2])).apply(database.pool()).await.unwrap();
    let folder = Folder::new(&files);
    // The build waits for every transaction that has written to the table.
    let writer = database.client().await;
    writer.batch_execute("BEGIN; INSERT INTO users VALUES (1)").await.unwrap();
    let mut first = Starter::ready(&database, &folder.0, "first").await;
    first.go();
    let begun =
        "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()";
    until("the build waits", async || database.number(begun).await == 1).await;
    let mut second = Starter::ready(&database, &folder.0, "second").await;
    second.go();
    second.says("Waiting for the migration lock").await;
    first.kill().await;
    second.says("Running: 3_index").await;
    writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!(second.applied().await, NAMES[2..]);
    is_complete(&database).await;
}

async fn tasks_over_a_pool(size: usize) {
    let database = TestDatabase::new();
    let pool = pool_of(size, &database.connection_string());
    let migrations: &'static Registry = Box::leak(Box::new(registry(&NOT_IDEMPOTENT)));
    let tasks: Vec<_> = (0..N_STARTERS)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { Migrator::new(migrations).apply(&pool).await })
        })
        .collect();
    let mut applied = Vec::new();
    for task in tasks {
        let report = task.await.unwrap().unwrap();
        assert_eq!(report.n_total(), 4);
        applied.extend(report.done().iter().map(|done| done.name().to_owned()));
    }
    each_once(applied);
    is_complete(&database).await;
    assert_eq!(pool.status().available, pool.status().size);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_tasks_over_a_pool_of_sixteen() {
    tasks_over_a_pool(16).await;
}

#[tokio::test]
async fn thirty_two_tasks_over_a_pool_of_one() {
    tasks_over_a_pool(1).await;
}

/// What a service does that migrates beside its start: each run is a task of its own. That this
/// compiles is the test; the compiler does not find every future of a run `Send`.
#[tokio::test]
async fn every_verb_runs_in_a_task_on_every_kind_of_connection() {
    static EMPTY: Registry = Registry::EMPTY;
    let database = TestDatabase::new();
    let (pool, mut client) = (database.pool().clone(), database.client().await);
    let on_pool = tokio::spawn(async move {
        let migrator = Migrator::new(&EMPTY);
        assert!(migrator.apply(&pool).await.unwrap().is_noop());
        assert!(migrator.roll_back(&pool, 1).await.unwrap().is_noop());
        assert!(!migrator.status(&pool).await.unwrap().history_exists());
        assert!(!migrator.verify(&pool).await.unwrap().history_exists());
        assert!(migrator.plan(&pool).await.unwrap().is_empty());
        assert!(!migrator.adopt(&pool).await.unwrap());
    });
    let mut object = database.pool().get().await.unwrap();
    let on_object = tokio::spawn(async move {
        let migrator = Migrator::new(&EMPTY);
        assert!(migrator.roll_back(&mut object, 1).await.unwrap().is_noop());
        assert!(migrator.apply(&mut object).await.unwrap().is_noop());
    });
    let on_client = tokio::spawn(async move {
        let migrator = Migrator::new(&EMPTY);
        assert!(migrator.roll_back(&mut client, 1).await.unwrap().is_noop());
        assert!(migrator.apply(&mut client).await.unwrap().is_noop());
    });
    on_pool.await.unwrap();
    on_object.await.unwrap();
    on_client.await.unwrap();
}

/// A run that stands before a gate, in a task of its own.
async fn blocked(database: &TestDatabase, registry: Registry) -> tokio::task::JoinHandle<()> {
    let pool = pool_of(1, &format!("{} application_name=billing", database.connection_string()));
    let task = tokio::spawn(async move {
        let _report = Migrator::new(&registry).apply(&pool).await.unwrap();
    });
    database.at_gate(1).await;
    task
}

#[tokio::test]
async fn two_history_tables_do_not_exclude_each_other() {
    let database = TestDatabase::new();
    let gate = database.gate().await;
    let task = blocked(&database, registry(&[("1_slow.sql", Gate::PASS)])).await;
    let other = registry(&[("1_other.sql", "CREATE TABLE other (id int);")]);
    let migrator = || Migrator::new(&other).lock_wait(Duration::ZERO);
    let report = migrator().history_table("other_migrations").apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
    database.run("DROP TABLE other").await;
    let report = migrator().history_schema("app").apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
    gate.open().await;
    task.await.unwrap();
    assert_eq!(database.applied().await, ["1_slow"]);
    assert_eq!(database.texts("SELECT name FROM app.migrations").await, ["1_other"]);
}

/// Their locks differ, so nothing but the server keeps them from creating the schema both at once.
#[tokio::test(flavor = "multi_thread")]
async fn two_history_tables_are_created_at_once_in_one_new_schema() {
    let database = TestDatabase::new();
    let pool = pool_of(8, &database.connection_string());
    for round in 0..10 {
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let text = format!("CREATE TABLE t_{round}_{n} (id int);");
                    let migrations = registry(&[("1_t.sql", &text)]);
                    let migrator = Migrator::new(&migrations)
                        .history_schema(format!("schema{round}"))
                        .history_table(format!("table{n}"));
                    migrator.apply(&pool).await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().done().len(), 1);
        }
    }
}
