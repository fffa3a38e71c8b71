//! What the database and the build disagree about: found before anything runs, all of it, in words
//! that say what to do.

use dunlin::{Drift, Error, ErrorKind, Migrator, State};
use dunlin_tests::{Recorder, TestDatabase, registry, rendered, undated};
use tokio_postgres::Client;

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);\n");
const A_EDITED: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id bigint);\n");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);\n");
const C: (&str, &str) = ("3_c.sql", "CREATE TABLE c (id int);\n");
const D: (&str, &str) = ("4_d.sql", "CREATE TABLE d (id int);\n");

/// A database to which these files have been applied.
async fn applied(files: &[(&str, &str)]) -> TestDatabase {
    let database = TestDatabase::new();
    let _report = Migrator::new(&registry(files)).apply(database.pool()).await.unwrap();
    database
}

async fn refused(database: &TestDatabase, migrator: &Migrator<'_>) -> Error {
    let error = migrator.apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    assert_eq!(database.n_locks().await, 0);
    error
}

async fn text(database: &TestDatabase, files: &[(&str, &str)]) -> String {
    let registry = registry(files);
    undated(&rendered(&refused(database, &Migrator::new(&registry)).await))
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'migrations_log' ORDER BY relname";
    database.texts(tables).await
}

#[tokio::test]
async fn an_edited_migration() {
    let database = applied(&[A, B]).await;
    assert_eq!(
        text(&database, &[A_EDITED, B, C]).await,
        "\
the applied migration `1_a` was edited

changed: `1_a` was edited after it was applied on DATE TIME UTC
 --> migrations/1_a.sql:1:1
--- applied on DATE TIME UTC
+++ migrations/1_a.sql
@@ -1 +1 @@
-CREATE TABLE a (id int);
+CREATE TABLE a (id bigint);

note: nothing was changed
help: restore the file as it was applied; a change to an applied migration belongs in a new one"
    );
    assert_eq!(tables(&database).await, ["a", "b", "migrations"]);
    assert_eq!(database.applied().await, ["1_a", "2_b"]);
}

fn kind_and_name(drift: &Drift) -> (&str, &str) {
    let kind = match drift {
        Drift::Changed { .. } => "changed",
        Drift::Missing { .. } => "missing",
        Drift::Late { .. } => "late",
        _ => "new",
    };
    (kind, drift.name())
}

#[tokio::test]
async fn everything_is_listed_at_once_and_nothing_runs() {
    let gone = ("2_gone.sql", "CREATE TABLE gone (id int);\n");
    let lost = ("5_lost.sql", "CREATE TABLE lost (id int);\n");
    let database = applied(&[A, gone, D, lost]).await;
    database.run("UPDATE migrations SET up_text = NULL WHERE name = '5_lost'").await;
    let registry = registry(&[
        A_EDITED,
        C,
        ("4_d.sql", "-- The fourth.\nCREATE TABLE d (\n  id int\n);\n"),
        ("5_lost.sql", "CREATE TABLE lost (id int, at date);\n"),
        ("6_new.sql", "CREATE TABLE new (id int);\n"),
    ]);
    let error = refused(&database, &Migrator::new(&registry).strict_order(true)).await;
    assert_eq!(
        error.drift().iter().map(kind_and_name).collect::<Vec<_>>(),
        [
            ("changed", "1_a"),
            ("missing", "2_gone"),
            ("late", "3_c"),
            ("changed", "4_d"),
            ("changed", "5_lost"),
        ]
    );
    assert_eq!(
        undated(&rendered(&error)),
        "\
the database and this build disagree about 5 migrations: 3 changed, 1 missing, 1 late

changed: `1_a` was edited after it was applied on DATE TIME UTC
 --> migrations/1_a.sql:1:1
--- applied on DATE TIME UTC
+++ migrations/1_a.sql
@@ -1 +1 @@
-CREATE TABLE a (id int);
+CREATE TABLE a (id bigint);

missing: `2_gone` was applied on DATE TIME UTC and is not in this build

late: `3_c` is pending, but the newer `5_lost` is applied
 --> migrations/3_c.sql:1:1

changed: `4_d` was edited after it was applied on DATE TIME UTC
 --> migrations/4_d.sql:1:1
--- applied on DATE TIME UTC
+++ migrations/4_d.sql
@@ -1 +1,4 @@
-CREATE TABLE d (id int);
+-- The fourth.
+CREATE TABLE d (
+  id int
+);
only comments or layout differ; what the statements do is the same

changed: `5_lost` was edited after it was applied on DATE TIME UTC
 --> migrations/5_lost.sql:1:1
  recorded: sha256:5f717a7f80ea95c134fbeeca44cd59abde1aacc1a6e102bba7cb0c3acdbddb9b
  in build: sha256:5ae5a0ae8ec72fbf58af4c90267b5679fae5be8d3454b92f025b728ae29b92bc
the row holds no text, so what was edited cannot be shown

note: nothing was changed
help: restore the file as it was applied; a change to an applied migration belongs in a new one
help: if another build migrated this database, it is ahead of this one: start that build, or add its file here
help: if the file is in the folder, this build is stale: build again; so that cargo notices new files by itself, add a build.rs beside Cargo.toml with
fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }
help: give the late migration a version behind the newest applied one, or allow it without `strict_order`"
    );
    assert_eq!(tables(&database).await, ["a", "d", "gone", "lost", "migrations"]);
    assert_eq!(database.applied().await, ["1_a", "2_gone", "4_d", "5_lost"]);
}

#[tokio::test]
async fn a_missing_migration_names_both_causes() {
    let database = applied(&[A, B, C]).await;
    assert_eq!(
        text(&database, &[A, C, D]).await,
        "\
the applied migration `2_b` is not in this build

missing: `2_b` was applied on DATE TIME UTC and is not in this build

note: nothing was changed
help: if another build migrated this database, it is ahead of this one: start that build, or add its file here
help: if the file is in the folder, this build is stale: build again; so that cargo notices new files by itself, add a build.rs beside Cargo.toml with
fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }"
    );
    assert_eq!(tables(&database).await, ["a", "b", "c", "migrations"]);
}

#[tokio::test]
async fn a_row_without_a_version_is_missing() {
    let database = applied(&[A]).await;
    database.run("INSERT INTO migrations (name) VALUES ('initial')").await;
    let text = text(&database, &[A, B]).await;
    let headline = "the applied migration `initial` is not in this build\n";
    assert!(text.starts_with(headline), "{text}");
}

#[tokio::test]
async fn the_place_is_the_first_line_that_differs() {
    let before = "CREATE TABLE a (\n  id int,\n  at date\n);\nSELECT 1;\n";
    let database = applied(&[("1_a.sql", before)]).await;
    for (after, place) in [
        ("CREATE TABLE a (\n  id int,\n  at time\n);\nSELECT 1;\n", "1_a.sql:3:1\n"),
        ("CREATE TABLE a (\n  id int,\n  at date\n);\n", "1_a.sql:4:1\n"),
        ("CREATE TABLE a (\n  id int,\n  at date\n);\nSELECT 1;\nSELECT 2;\n", "1_a.sql:6:1\n"),
        ("\nCREATE TABLE a (\n  id int,\n  at date\n);\nSELECT 1;\n", "1_a.sql:1:1\n"),
    ] {
        let text = text(&database, &[("1_a.sql", after)]).await;
        assert!(text.contains(&format!(" --> migrations/{place}")), "{place}{text}");
    }
}

#[tokio::test]
async fn what_only_looks_different_is_said_to() {
    let only_layout = "only comments or layout differ";
    let database = applied(&[("1_a.sql", "CREATE TABLE a (id int); -- one\n")]).await;
    let says_so = async |after: &str| {
        let text = text(&database, &[("1_a.sql", after)]).await;
        text.contains(only_layout)
    };
    assert!(says_so("/* one */ CREATE TABLE a\n(id int);").await);
    assert!(!says_so("CREATE TABLE a (id bigint); -- one\n").await);
    // In a string every character counts.
    let database = applied(&[("1_a.sql", "DO $$ BEGIN NULL; END $$;\n")]).await;
    let text = text(&database, &[("1_a.sql", "DO $$ BEGIN NULL;  END $$;\n")]).await;
    assert!(!text.contains(only_layout), "{text}");
    // A directive is a comment that changes what is done.
    let database = applied(&[("1_a.sql", "SELECT 1;\n")]).await;
    let edited = [("1_a.sql", "-- dunlin: no-transaction\nSELECT 1;\n")];
    let text = self::text(&database, &edited).await;
    assert!(!text.contains(only_layout), "{text}");
}

#[tokio::test]
async fn a_checksum_that_was_edited_in_the_table() {
    let database = applied(&[A]).await;
    database.run("UPDATE migrations SET checksum = 'sha256:0'").await;
    let checksum = registry(&[A]).get("1_a").unwrap().checksum();
    assert_eq!(
        text(&database, &[A]).await,
        format!(
            "\
the row of the applied migration `1_a` was edited

changed: the checksum in the row of `1_a` is not that of its text
 --> migrations/1_a.sql:1:1
  recorded: sha256:0
  in build: {checksum}
the recorded text and the file are the same, so the row was edited

note: nothing was changed
help: set the checksum in the row to the one in the build"
        )
    );
}

#[tokio::test]
async fn line_ends_and_byte_order_marks_are_no_drift() {
    let lines = "CREATE TABLE a (\n  id int\n);\n";
    let checkouts = [
        lines.to_owned(),
        lines.replace('\n', "\r\n"),
        lines.replace('\n', "\r"),
        format!("\u{feff}{lines}"),
        format!("\u{feff}{}", lines.replace('\n', "\r\n")),
    ];
    for first in &checkouts {
        let database = applied(&[("1_a.sql", first)]).await;
        for second in &checkouts {
            let registry = registry(&[("1_a.sql", second)]);
            let migrator = Migrator::new(&registry);
            let status = migrator.verify(database.pool()).await.unwrap();
            assert_eq!(status.count(State::Applied), 1);
            assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
        }
    }
}

#[tokio::test]
async fn an_edit_in_a_checkout_with_other_line_ends_is_only_that_edit() {
    let database = applied(&[("1_a.sql", "CREATE TABLE a (\n  id int,\n  at date\n);\n")]).await;
    let text =
        text(&database, &[("1_a.sql", "CREATE TABLE a (\r\n  id int,\r\n  at time\r\n);\r\n")])
            .await;
    let edited: Vec<_> = text
        .lines()
        .filter(|line| {
            line.starts_with(['-', '+'])
                && line.len() > 3
                && !line.starts_with("--- ")
                && !line.starts_with("+++ ")
        })
        .collect();
    assert_eq!(edited, ["-  at date", "+  at time"]);
}

#[tokio::test]
async fn an_edited_undo_is_no_drift() {
    let undo = |text| [A, ("1_a.down.sql", text)];
    let database = applied(&undo("DROP TABLE a;")).await;
    for registry in [registry(&undo("DROP TABLE IF EXISTS a;")), registry(&[A])] {
        let migrator = Migrator::new(&registry);
        assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
        assert_eq!(migrator.verify(database.pool()).await.unwrap().count(State::Applied), 1);
    }
}

#[tokio::test]
async fn a_late_migration_is_applied_in_its_place_and_announced() {
    let database = applied(&[A, C]).await;
    let registry = registry(&[A, B, C, D]);
    let recorder = Recorder::default();
    let migrator = Migrator::new(&registry).observer(recorder.clone());
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Late), status.count(State::Pending)), (1, 1));
    let plan = migrator.plan(database.pool()).await.unwrap();
    let steps: Vec<_> =
        plan.steps().iter().map(|step| (step.migration().name(), step.is_late())).collect();
    assert_eq!(steps, [("2_b", true), ("4_d", false)]);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!((report.done().len(), report.n_total()), (2, 4));
    assert_eq!(
        recorder.lines(),
        [
            "⚠️  1 pending migration(s) older than the newest applied one: 2_b",
            "🔄 Running 2 pending migration(s)...",
            "⏳ Running: 2_b",
            "   ✅ Created b table",
            "✅ Completed: 2_b",
            "⏳ Running: 4_d",
            "   ✅ Created d table",
            "✅ Completed: 4_d",
            "✅ Successfully applied 2 migration(s)",
            "📊 Total migrations: 4",
        ]
    );
    assert_eq!(database.applied().await, ["1_a", "3_c", "2_b", "4_d"]);
}

#[tokio::test]
async fn strict_order_refuses_what_is_late() {
    let database = applied(&[A, C]).await;
    let registry = registry(&[A, B, C, D]);
    let migrator = Migrator::new(&registry).strict_order(true);
    let error = refused(&database, &migrator).await;
    assert_eq!(
        rendered(&error),
        "\
migration `2_b` is pending, but the newer `3_c` is applied

late: `2_b` is pending, but the newer `3_c` is applied
 --> migrations/2_b.sql:1:1

note: nothing was changed
help: give the late migration a version behind the newest applied one, or allow it without `strict_order`"
    );
    assert_eq!(tables(&database).await, ["a", "c", "migrations"]);
    let verified = migrator.verify(database.pool()).await.unwrap_err();
    assert_eq!(rendered(&verified), rendered(&error));
    let planned = migrator.plan(database.pool()).await.unwrap_err();
    assert_eq!(rendered(&planned), rendered(&error));
    // What is new at the end is not late.
    let in_order = dunlin_tests::registry(&[A, C, D]);
    let report = Migrator::new(&in_order).strict_order(true).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
}

#[tokio::test]
async fn a_database_that_is_ahead_runs_and_is_announced() {
    let database = applied(&[A, C, D]).await;
    let ahead = [
        "⚠️  The database is ahead of this build by 2 migration(s): 3_c, 4_d",
        "   A newer build has migrated it, or this build is stale and lacks new files",
    ];
    // With nothing to do.
    let (old, recorder) = (registry(&[A]), Recorder::default());
    let migrator = Migrator::new(&old).observer(recorder.clone());
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!((report.is_noop(), report.n_total()), (true, 3));
    let up_to_date = "✅ All migrations are up-to-date (no new migrations to run)";
    assert_eq!(recorder.lines(), [ahead[0], ahead[1], up_to_date]);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Ahead), status.n_applied(), status.n_pending()), (2, 3, 0));
    assert_eq!(migrator.plan(database.pool()).await.unwrap().ahead(), ["3_c", "4_d"]);
    // With something to do, which is late then.
    let (other, recorder) = (registry(&[A, B]), Recorder::default());
    let migrator = Migrator::new(&other).observer(recorder.clone());
    assert_eq!(migrator.plan(database.pool()).await.unwrap().ahead(), ["3_c", "4_d"]);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.n_total(), 4);
    let late = "⚠️  1 pending migration(s) older than the newest applied one: 2_b";
    assert_eq!(recorder.lines()[..3], [ahead[0], ahead[1], late]);
    assert_eq!(database.applied().await, ["1_a", "3_c", "4_d", "2_b"]);
}

#[tokio::test]
async fn a_row_without_a_checksum_is_unverified() {
    let database = applied(&[A, B]).await;
    database.run("UPDATE migrations SET checksum = NULL WHERE name = '1_a'").await;
    let registry = registry(&[A_EDITED, B]);
    let migrator = Migrator::new(&registry);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.count(State::Applied)), (1, 1));
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
    let edited = dunlin_tests::registry(&[A_EDITED, ("2_b.sql", "SELECT 2;")]);
    let error = refused(&database, &Migrator::new(&edited)).await;
    assert_eq!(error.drift().iter().map(Drift::name).collect::<Vec<_>>(), ["2_b"]);
}

#[tokio::test]
async fn edited_statements_of_an_unfinished_migration_are_found_before_anything_runs() {
    let file = |second: &'static str| ("3_c.sql", second);
    let broken = "-- dunlin: no-transaction\nCREATE TABLE c (id int);\nSELECT broken;\n";
    let database = applied(&[A]).await;
    let migrations = registry(&[A, file(broken)]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    // The statement that failed may be mended, the one that is done may not be edited.
    let edited = "-- dunlin: no-transaction\nCREATE TABLE c (id bigint);\nSELECT 1;\n";
    let migrations = registry(&[A, B, file(edited)]);
    let error = refused(&database, &Migrator::new(&migrations)).await;
    assert_eq!(error.location().unwrap().1.line(), 2);
    assert_eq!(tables(&database).await, ["a", "c", "migrations"], "{error:#}");
    let mended = "-- dunlin: no-transaction\nCREATE TABLE c (id int);\nSELECT 1;\n";
    let migrations = registry(&[A, B, file(mended)]);
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.n_total(), 3);
}

/// Everything of a database that a run could change.
async fn everything(client: &Client) -> String {
    let catalog = "SELECT string_agg(concat_ws(' ', c.oid, c.relname, c.xmin, n.nspname), ',' ORDER BY c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT LIKE 'pg\\_%'";
    let mut all: String = client.query_one(catalog, &[]).await.unwrap().get(0);
    if all.contains(" migrations ") {
        let rows =
            "SELECT string_agg(concat_ws(' ', xmin, ctid, m), ',' ORDER BY id) FROM migrations m";
        let rows: Option<String> = client.query_one(rows, &[]).await.unwrap().get(0);
        all += &rows.unwrap_or_default();
    }
    all
}

#[tokio::test]
async fn status_verify_and_plan_agree_and_write_nothing() {
    let ahead = ("9_z.sql", "SELECT 9;\n");
    let everything_at_once = [A_EDITED, C, D, ("5_e.sql", "SELECT 5;\n")];
    for (before, build, n_drift) in [
        (None, vec![A, B], 0),
        (Some(vec![]), vec![], 0),
        (Some(vec![A, B]), vec![A, B], 0),
        (Some(vec![A, C]), vec![A, B, C, D], 0),
        (Some(vec![A, ahead]), vec![A, B], 0),
        (Some(vec![A, B, D]), everything_at_once.to_vec(), 2),
    ] {
        let database = TestDatabase::new();
        if let Some(before) = before {
            let _report = Migrator::new(&registry(&before)).apply(database.pool()).await.unwrap();
        }
        let onlooker = database.client().await;
        let before = everything(&onlooker).await;
        let mut client = database.client().await;
        client.batch_execute("SET default_transaction_read_only = on").await.unwrap();

        let registry = registry(&build);
        let migrator = Migrator::new(&registry);
        let status = migrator.status(&mut client).await.unwrap();
        let verified = migrator.verify(&mut client).await;
        let planned = migrator.plan(&mut client).await;

        assert_eq!(status.drift().len(), n_drift);
        let to_run: Vec<_> = status
            .entries()
            .iter()
            .filter(|entry| matches!(entry.state(), State::Pending | State::Late))
            .map(|entry| (entry.name().to_owned(), entry.state() == State::Late))
            .collect();
        assert_eq!(status.n_pending(), to_run.len());
        match (verified, planned) {
            (Ok(verified), Ok(plan)) => {
                assert_eq!(n_drift, 0);
                let names = |status: &dunlin::Status| -> Vec<_> {
                    status.entries().iter().map(|it| (it.name().to_owned(), it.state())).collect()
                };
                assert_eq!(names(&verified), names(&status));
                let steps: Vec<_> = plan
                    .steps()
                    .iter()
                    .map(|step| (step.migration().name().to_owned(), step.is_late()))
                    .collect();
                assert_eq!(steps, to_run);
                assert_eq!(plan.ahead().len(), status.count(State::Ahead));
            }
            (Err(verified), Err(planned)) => {
                assert_eq!(verified.drift(), status.drift());
                assert_eq!(planned.drift(), status.drift());
                assert_eq!(rendered(&verified), rendered(&planned));
            }
            (verified, planned) => panic!("{verified:?} {planned:?}"),
        }
        assert_eq!(everything(&onlooker).await, before);
        assert_eq!(database.n_locks().await, 0);
    }
}
