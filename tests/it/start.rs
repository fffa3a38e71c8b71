//! The promises of an application's start, with the fourteen samples.

use dunlin::{Migrator, Registry, State};
use dunlin_tests::{Recorder, TestDatabase, registry};

static SAMPLES: Registry = dunlin::embed_migrations!("../migrations");

/// The names of the samples in the order they must run in.
const ORDER: [&str; 14] = [
    "2025103001-create-workflow-requests",
    "2025103002-create-approval-levels",
    "2025103003-create-participants",
    "2025103004-create-documents",
    "20251031_01_create_subscriptions",
    "20251031_02_create_activities",
    "20251031_03_create_work_notes",
    "20251031_04_create_work_note_attachments",
    "20251104-add-tat-alert-fields",
    "20251104-create-admin-config",
    "20251104-create-holidays",
    "20251104-create-kpi-views",
    "20251104-create-tat-alerts",
    "20251105-add-skip-fields-to-approval-levels",
];

async fn start(database: &TestDatabase, registry: &Registry) -> Vec<String> {
    let recorder = Recorder::default();
    let result = Migrator::new(registry).observer(recorder.clone()).apply(database.pool()).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
    recorder.lines()
}

#[tokio::test]
async fn the_first_start_applies_everything_in_order_and_says_so() {
    let database = TestDatabase::new();
    let lines = start(&database, &SAMPLES).await;
    assert_eq!(
        lines[..2],
        ["✅ Created migrations tracking table", "🔄 Running 14 pending migration(s)..."]
    );
    assert_eq!(
        lines[2..5],
        [
            "⏳ Running: 2025103001-create-workflow-requests",
            "   ✅ Created workflow_requests table",
            "✅ Completed: 2025103001-create-workflow-requests",
        ]
    );
    assert_eq!(
        lines[lines.len() - 2..],
        ["✅ Successfully applied 14 migration(s)", "📊 Total migrations: 14"]
    );
    for (verb, sign) in [("Running", "⏳"), ("Completed", "✅")] {
        let prefix = format!("{sign} {verb}: ");
        let names: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(&prefix)).collect();
        assert_eq!(names, ORDER);
    }
    assert_eq!(database.applied().await, ORDER);
}

#[tokio::test]
async fn the_second_start_does_nothing() {
    let database = TestDatabase::new();
    let _first = start(&database, &SAMPLES).await;
    let second = start(&database, &SAMPLES).await;
    assert_eq!(second, ["✅ All migrations are up-to-date (no new migrations to run)"]);
}

#[tokio::test]
async fn after_adding_a_file_only_that_one_runs() {
    let database = TestDatabase::new();
    let mut files: Vec<_> = (1..=14)
        .map(|n| (format!("{n:04}_t{n}.sql"), format!("CREATE TABLE t{n} (id int);\n")))
        .collect();
    let _first = start(&database, &registry_of(&files)).await;
    files.push(("0015_t15.sql".to_owned(), "CREATE TABLE t15 (id int);\n".to_owned()));
    let lines = start(&database, &registry_of(&files)).await;
    assert_eq!(
        lines,
        [
            "🔄 Running 1 pending migration(s)...",
            "⏳ Running: 0015_t15",
            "   ✅ Created t15 table",
            "✅ Completed: 0015_t15",
            "✅ Successfully applied 1 migration(s)",
            "📊 Total migrations: 15",
        ]
    );
}

fn registry_of(files: &[(String, String)]) -> Registry {
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    registry(&files)
}

#[tokio::test]
async fn the_table_is_an_audit_trail_that_people_read() {
    let database = TestDatabase::new();
    let _lines = start(&database, &SAMPLES).await;
    let columns = database
        .texts("SELECT column_name::text FROM information_schema.columns WHERE table_name = 'migrations' ORDER BY ordinal_position LIMIT 3")
        .await;
    assert_eq!(columns, ["id", "name", "executed_at"]);
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, 14);
    assert_eq!(
        database.number("SELECT count(*) FROM migrations WHERE executed_at <= now()").await,
        14
    );
    let last = database.texts("SELECT name FROM migrations ORDER BY id DESC LIMIT 1").await;
    assert_eq!(last, [ORDER[13]]);
    let in_time = "SELECT count(*) FROM (SELECT executed_at < lag(executed_at) OVER (ORDER BY id) AS early FROM migrations) t WHERE early";
    assert_eq!(database.number(in_time).await, 0);
}

#[tokio::test]
async fn each_sample_runs_again_when_its_row_is_deleted() {
    let database = TestDatabase::new();
    let _lines = start(&database, &SAMPLES).await;
    for name in ORDER {
        database.run(&format!("DELETE FROM migrations WHERE name = '{name}'")).await;
        let lines = start(&database, &SAMPLES).await;
        assert!(lines.contains(&"🔄 Running 1 pending migration(s)...".to_owned()), "{lines:?}");
        assert!(lines.contains(&format!("✅ Completed: {name}")), "{lines:?}");
    }
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, 14);
}

#[tokio::test]
async fn each_sample_can_be_undone_and_applied_again() {
    let database = TestDatabase::new();
    let objects = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
    let _lines = start(&database, &SAMPLES).await;
    let full = database.number(objects).await;
    for name in ORDER.iter().rev() {
        let report = Migrator::new(&SAMPLES).roll_back(database.pool(), 1).await.unwrap();
        assert_eq!(report.done()[0].name(), *name);
    }
    // What is left is the history table with its sequence and its two indexes, and the log with one less.
    assert_eq!(database.number(objects).await, 7);
    assert_eq!(database.number("SELECT count(*) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public' AND typtype = 'e'").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'").await, 0);
    let _lines = start(&database, &SAMPLES).await;
    assert_eq!(database.number(objects).await, full);
}

#[tokio::test]
async fn a_start_on_a_client_and_on_a_pooled_object() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    assert_eq!(Migrator::new(&SAMPLES).apply(&mut client).await.unwrap().done().len(), 14);
    let mut object = database.pool().get().await.unwrap();
    assert!(Migrator::new(&SAMPLES).apply(&mut object).await.unwrap().is_noop());
    let status = Migrator::new(&SAMPLES).status(&mut client).await.unwrap();
    assert_eq!((status.n_applied(), status.n_pending(), status.count(State::Applied)), (14, 0, 14));
}

#[tokio::test]
async fn status_before_the_first_start_writes_nothing() {
    let database = TestDatabase::new();
    let status = Migrator::new(&SAMPLES).status(database.pool()).await.unwrap();
    assert_eq!((status.n_applied(), status.n_pending(), status.history_exists()), (0, 14, false));
    let plan = Migrator::new(&SAMPLES).plan(database.pool()).await.unwrap();
    assert_eq!(plan.steps().iter().map(|step| step.migration().name()).collect::<Vec<_>>(), ORDER);
    assert_eq!(
        database.number("SELECT count(*) FROM pg_class WHERE relname = 'migrations'").await,
        0
    );
}

#[tokio::test]
async fn a_folder_without_migrations_is_a_start_with_nothing_to_do() {
    let database = TestDatabase::new();
    let lines = start(&database, &Registry::EMPTY).await;
    assert_eq!(lines, ["✅ All migrations are up-to-date (no new migrations to run)"]);
    assert_eq!(
        database.number("SELECT count(*) FROM pg_class WHERE relname = 'migrations'").await,
        0
    );
}
