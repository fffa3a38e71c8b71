//! What is told while migrations run: statements, how many and for how long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dunlin::{Done, Event, Migrator, Observer, Registry, Report};
use dunlin_tests::{Cut, Cutter, Functions, TestDatabase, pool, registry, registry_with};

/// Keeps what events say of statements and durations, in short.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn on_event(&self, event: &Event<'_>) {
        let line = match event {
            Event::MigrationStarted { name, n_statements, n_skipped_statements, .. } => {
                format!("{name}: {n_statements:?} statements, {n_skipped_statements} skipped")
            }
            Event::StatementStarted { name, statement, .. } => format!("{name}: {statement}"),
            Event::StatementFinished { name, statement, .. } => {
                format!("{name}: {} done", statement.number)
            }
            Event::MigrationFinished { name, n_statements, .. } => {
                format!("{name}: done, {n_statements:?} statements")
            }
            _ => return,
        };
        self.0.lock().unwrap().push(line);
    }
}

/// The durations in the history table, oldest row first.
async fn recorded(database: &TestDatabase) -> Vec<Duration> {
    let rows = database.query("SELECT duration_ms FROM migrations ORDER BY id").await;
    rows.iter().map(|row| Duration::from_millis(row.get::<_, i64>(0).try_into().unwrap())).collect()
}

fn durations(report: &Report) -> Vec<Duration> {
    report.done().iter().map(Done::duration).collect()
}

/// Two that travel together, the second slow, and one in Rust.
fn slow() -> Registry {
    registry_with(
        &[
            ("1_quick.sql", "CREATE TABLE quick (id int); SELECT 1;"),
            ("1_quick.down.sql", "DROP TABLE quick;"),
            ("2_slow.sql", "SELECT pg_sleep(0.3);"),
            ("2_slow.down.sql", "SELECT pg_sleep(0.2); SELECT 1; SELECT 2;"),
        ],
        &[Functions {
            name: "3_rust",
            up: |cx| Box::pin(async { cx.batch_execute("SELECT pg_sleep(0.1)").await }),
            down: Some(|cx| Box::pin(async { cx.batch_execute("SELECT pg_sleep(0.1)").await })),
        }],
    )
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn durations_are_those_the_server_has_measured() {
    let database = TestDatabase::new();
    let (migrations, told) = (slow(), Mutex::new(Vec::new()));
    let migrator = Migrator::new(&migrations).observer(|event: &Event<'_>| {
        if let Event::MigrationFinished { duration, .. } = event {
            told.lock().unwrap().push(*duration);
        }
    });
    let report = migrator.apply(database.pool()).await.unwrap();
    let applied = durations(&report);
    assert_eq!(applied, recorded(&database).await);
    assert!(applied[1] >= ms(300) && applied[2] >= ms(100), "{applied:?}");
    assert_eq!(*told.lock().unwrap(), applied);

    told.lock().unwrap().clear();
    let report = migrator.roll_back(database.pool(), 3).await.unwrap();
    let undone = durations(&report);
    assert!(undone[0] >= ms(100) && undone[1] >= ms(200), "{undone:?}");
    assert_eq!(*told.lock().unwrap(), undone);
    // The server measures in whole milliseconds, this process would not.
    let is_whole = |it: &Duration| it.subsec_nanos().is_multiple_of(1_000_000);
    assert!(undone.iter().all(is_whole), "{undone:?}");
}

#[tokio::test]
async fn a_migration_that_was_committed_before_the_connection_broke_has_its_duration() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_slow.sql", "SELECT pg_sleep(0.2); -- cut here")]);
    let cutter = Cutter::new(&database.connection_string(), Cut::BeforeAnswer("cut here"), 1).await;
    let pool = pool(&cutter.connection_string());
    let report = Migrator::new(&migrations).apply(&pool).await.unwrap();
    assert_eq!((cutter.n_cuts(), report.done().len()), (1, 1));
    assert_eq!(durations(&report), recorded(&database).await);
    assert_eq!(report.done()[0].n_statements(), Some(1));
}

#[tokio::test]
async fn a_duration_is_told_although_a_trigger_keeps_the_row_to_itself() {
    let database = TestDatabase::new();
    let (first, second) = (("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;"));
    let _report = Migrator::new(&registry(&[first])).apply(database.pool()).await.unwrap();
    let quiet = "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER quiet BEFORE INSERT ON migrations FOR EACH ROW EXECUTE FUNCTION quiet();";
    database.run(quiet).await;
    let migrations = registry(&[first, second]);
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert!(report.done()[0].duration() > Duration::ZERO);
}

#[tokio::test]
async fn statements_are_counted() {
    let (database, log) = (TestDatabase::new(), Log::default());
    let migrations = slow();
    let migrator = Migrator::new(&migrations).observer(log.clone());
    let report = migrator.apply(database.pool()).await.unwrap();
    let counts: Vec<_> = report.done().iter().map(Done::n_statements).collect();
    assert_eq!(counts, [Some(2), Some(1), None]);
    let expected = [
        "1_quick: Some(2) statements, 0 skipped",
        "1_quick: done, Some(2) statements",
        "2_slow: Some(1) statements, 0 skipped",
        "2_slow: done, Some(1) statements",
        "3_rust: None statements, 0 skipped",
        "3_rust: done, None statements",
    ];
    assert_eq!(log.lines(), expected);
    let report = migrator.roll_back(database.pool(), 3).await.unwrap();
    let counts: Vec<_> = report.done().iter().map(Done::n_statements).collect();
    assert_eq!(counts, [None, Some(3), Some(1)]);
}

#[tokio::test]
async fn without_a_transaction_each_statement_is_told() {
    let (database, log) = (TestDatabase::new(), Log::default());
    database.run("CREATE TABLE t (a int, b int)").await;
    let text = |last: &str| {
        format!(
            "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY t_a ON t (a);\nINSERT INTO t VALUES (1, 1);\n{last}"
        )
    };
    let undo = "-- dunlin: no-transaction\nDROP INDEX CONCURRENTLY t_a;\nDELETE FROM t;";
    let files = |last: &str| registry(&[("1_t.sql", &text(last)), ("1_t.down.sql", undo)]);
    let broken = files("ALTER TABLE t ADD COLUMN a int;");
    let migrator = Migrator::new(&broken).observer(log.clone());
    let _error = migrator.apply(database.pool()).await.unwrap_err();
    let expected = [
        "1_t: Some(3) statements, 0 skipped",
        "1_t: 1 of 3, CREATE INDEX t_a",
        "1_t: 1 done",
        "1_t: 2 of 3, INSERT",
        "1_t: 2 done",
        "1_t: 3 of 3, ALTER TABLE t",
    ];
    assert_eq!(log.lines(), expected);

    let mended = files("ALTER TABLE t ADD COLUMN c int;\nSELECT pg_sleep(0.1);");
    let migrator = Migrator::new(&mended).observer(log.clone());
    let report = migrator.apply(database.pool()).await.unwrap();
    let expected = [
        "1_t: Some(4) statements, 2 skipped",
        "1_t: 3 of 4, ALTER TABLE t",
        "1_t: 3 done",
        "1_t: 4 of 4, SELECT",
        "1_t: 4 done",
        "1_t: done, Some(4) statements",
    ];
    assert_eq!(log.lines(), expected);
    assert!(report.done()[0].duration() >= ms(100));

    let _report = migrator.roll_back(database.pool(), 1).await.unwrap();
    let expected = [
        "1_t: Some(2) statements, 0 skipped",
        "1_t: 1 of 2, DROP INDEX t_a",
        "1_t: 1 done",
        "1_t: 2 of 2, DELETE",
        "1_t: 2 done",
        "1_t: done, Some(2) statements",
    ];
    assert_eq!(log.lines(), expected);
}
