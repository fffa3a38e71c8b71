//! Going back: how far, in which order, with whose undo, and what is left when one fails.

use dunlin::{Error, ErrorKind, Migrator, Registry, Target};
use dunlin_tests::{
    Function, Functions, Recorder, TestDatabase, registry, registry_with, rendered,
};

/// Five migrations with undo, two of them on one date.
const FIVE: [(&str, &str); 10] = [
    ("20250101-a.sql", "CREATE TABLE a (id int);"),
    ("20250101-a.down.sql", "DROP TABLE a;"),
    ("20250202-b.sql", "CREATE TABLE b (id int);"),
    ("20250202-b.down.sql", "DROP TABLE b;"),
    ("20250202-c.sql", "CREATE TABLE c (id int);"),
    ("20250202-c.down.sql", "DROP TABLE c;"),
    ("20250303-d.sql", "CREATE TABLE d (id int);"),
    ("20250303-d.down.sql", "DROP TABLE d;"),
    ("20250404_01-e.sql", "CREATE TABLE e (id int);"),
    ("20250404_01-e.down.sql", "DROP TABLE e;"),
];
const A: &str = "20250101-a";
const B: &str = "20250202-b";
const C: &str = "20250202-c";
const D: &str = "20250303-d";
const E: &str = "20250404_01-e";

async fn applied(registry: &Registry) -> TestDatabase {
    let database = TestDatabase::new();
    let _report = Migrator::new(registry).apply(database.pool()).await.unwrap();
    database
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('migrations', 'migrations_log') ORDER BY relname";
    database.texts(tables).await
}

async fn failed(database: &TestDatabase, registry: &Registry, target: impl Into<Target>) -> Error {
    Migrator::new(registry).roll_back(database.pool(), target).await.unwrap_err()
}

/// Goes back from five and gives what was undone.
async fn undone(target: impl Into<Target>) -> Vec<String> {
    let registry = registry(&FIVE);
    let database = applied(&registry).await;
    let report = Migrator::new(&registry).roll_back(database.pool(), target).await.unwrap();
    let undone: Vec<_> = report.done().iter().map(|done| done.name().to_owned()).collect();
    assert_eq!(report.n_total(), 5 - undone.len());
    let left = &[A, B, C, D, E][..5 - undone.len()];
    assert_eq!(database.applied().await, left);
    let tables = tables(&database).await;
    assert!(left.iter().zip(&tables).all(|(name, table)| name.ends_with(table)), "{tables:?}");
    assert_eq!(tables.len(), left.len());
    undone
}

#[tokio::test]
async fn so_many() {
    assert_eq!(undone(0).await, [""; 0]);
    assert_eq!(undone(1).await, [E]);
    assert_eq!(undone(3).await, [E, D, C]);
    assert_eq!(undone(5).await, [E, D, C, B, A]);
    assert_eq!(undone(6).await, [E, D, C, B, A]);
    assert_eq!(undone(usize::MAX).await, [E, D, C, B, A]);
}

#[tokio::test]
async fn to_a_name_or_a_version() {
    assert_eq!(undone(E).await, [""; 0]);
    assert_eq!(undone(D).await, [E]);
    assert_eq!(undone(B).await, [E, D, C]);
    assert_eq!(undone("20250202").await, [E, D]);
    assert_eq!(undone("2025040401").await, [""; 0]);
    assert_eq!(undone(A).await, [E, D, C, B]);
}

#[tokio::test]
async fn to_what_is_not_there() {
    let registry = registry(&FIVE);
    let database = applied(&registry).await;
    for target in ["20250203", "20250202-x", "b", "", "0"] {
        let error = failed(&database, &registry, target).await;
        assert_eq!(error.kind(), ErrorKind::Target);
        assert_eq!(
            rendered(&error),
            format!(
                "no migration is called `{target}` or has that version\n  \
                 = note: nothing was changed\n  \
                 = help: `status` lists the names"
            )
        );
    }
    assert_eq!(database.applied().await.len(), 5);
}

#[tokio::test]
async fn a_number_is_no_target_for_going_forward() {
    let database = TestDatabase::new();
    let registry = registry(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")]);
    let error = Migrator::new(&registry).apply_to(database.pool(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
    assert_eq!(
        rendered(&error),
        "a number means so many migrations back, and `apply` goes forward\n  \
         = note: nothing was changed\n  \
         = help: write a version as text: `\"1\"`\n  \
         = help: to undo, use `roll_back`"
    );
    let report = Migrator::new(&registry).apply_to(database.pool(), "1").await.unwrap();
    assert_eq!(report.n_total(), 1);
    assert_eq!(database.applied().await, ["1_a"]);
}

#[tokio::test]
async fn in_the_order_of_versions_whatever_the_order_of_rows() {
    let database = TestDatabase::new();
    let (all, without_b) = (registry(&FIVE), {
        let files: Vec<_> = FIVE.into_iter().filter(|(name, _)| !name.contains("-b.")).collect();
        registry(&files)
    });
    let _report = Migrator::new(&without_b).apply(database.pool()).await.unwrap();
    let _report = Migrator::new(&all).apply(database.pool()).await.unwrap();
    assert_eq!(database.applied().await, [A, C, D, E, B]);
    let recorder = Recorder::default();
    let migrator = Migrator::new(&all).observer(recorder.clone());
    let _report = migrator.roll_back(database.pool(), 4).await.unwrap();
    assert_eq!(
        recorder.lines(),
        [
            "↩️  Undoing 4 migration(s)...",
            "⏳ Undoing: 20250404_01-e",
            "   ✅ Dropped e table",
            "✅ Undone: 20250404_01-e",
            "⏳ Undoing: 20250303-d",
            "   ✅ Dropped d table",
            "✅ Undone: 20250303-d",
            "⏳ Undoing: 20250202-c",
            "   ✅ Dropped c table",
            "✅ Undone: 20250202-c",
            "⏳ Undoing: 20250202-b",
            "   ✅ Dropped b table",
            "✅ Undone: 20250202-b",
            "✅ Successfully undid 4 migration(s)",
            "📊 Total migrations: 1",
        ]
    );
    assert_eq!(database.applied().await, [A]);
}

#[tokio::test]
async fn what_was_undone_is_applied_again() {
    let registry = registry(&FIVE);
    let database = applied(&registry).await;
    let migrator = Migrator::new(&registry);
    for n in 1..=5 {
        let _report = migrator.roll_back(database.pool(), n).await.unwrap();
        let report = migrator.apply(database.pool()).await.unwrap();
        assert_eq!((report.done().len(), report.n_total()), (n, 5));
        assert!(!report.history_created());
    }
    assert_eq!(tables(&database).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn with_nothing_applied_there_is_nothing_to_undo() {
    let (database, registry, recorder) =
        (TestDatabase::new(), registry(&FIVE), Recorder::default());
    let migrator = Migrator::new(&registry).observer(recorder.clone());
    let report = migrator.roll_back(database.pool(), 3).await.unwrap();
    assert_eq!((report.is_noop(), report.n_total()), (true, 0));
    assert_eq!(recorder.lines(), ["✅ Nothing to undo"]);
    let table = "SELECT count(*) FROM pg_class WHERE relname = 'migrations'";
    assert_eq!(database.number(table).await, 0);
}

#[tokio::test]
async fn without_an_undo_nothing_is_undone_and_all_are_named() {
    let files: Vec<_> = FIVE
        .into_iter()
        .filter(|(name, _)| !["20250202-b.down.sql", "20250303-d.down.sql"].contains(name))
        .collect();
    let registry = registry(&files);
    let database = applied(&registry).await;
    let error = failed(&database, &registry, 4).await;
    assert_eq!(error.kind(), ErrorKind::NoUndo);
    assert_eq!(
        rendered(&error),
        "no undo for `20250303-d`, `20250202-b`\n  \
         = note: nothing was changed\n  \
         = help: add a `.down.sql` beside each migration, or write a new migration that reverts it"
    );
    assert_eq!(database.applied().await.len(), 5);
    assert_eq!(tables(&database).await.len(), 5);
    let report = Migrator::new(&registry).roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(report.done().len(), 1);
}

#[tokio::test]
async fn an_older_build_undoes_a_newer_migration_with_the_stored_undo() {
    let new = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("2_b.down.sql", "DROP TABLE b;"),
        ("3_i.sql", "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);"),
        ("3_i.down.sql", "-- dunlin: no-transaction\nDROP INDEX CONCURRENTLY i;"),
    ]);
    let database = applied(&new).await;
    let old = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let report = Migrator::new(&old).roll_back(database.pool(), "1_a").await.unwrap();
    let names: Vec<_> = report.done().iter().map(dunlin::Done::name).collect();
    assert_eq!((names, report.n_total()), (vec!["3_i", "2_b"], 1));
    assert_eq!(tables(&database).await, ["a"]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'i'").await, 0);
    // The newer build goes forward again.
    assert_eq!(Migrator::new(&new).apply(database.pool()).await.unwrap().done().len(), 2);
}

#[tokio::test]
async fn a_stored_undo_that_fails_is_shown_as_stored() {
    let new = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("2_b.down.sql", "DROP TABLE b;\nDROP TABLE b;\n"),
    ]);
    let database = applied(&new).await;
    let old = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let error = failed(&database, &old, 1).await;
    assert_eq!(
        rendered(&error),
        "\
undo of `2_b` failed: table \"b\" does not exist (42P01)
 --> 2_b.down.sql (stored in the history table):2:1
  |
2 | DROP TABLE b;
  | ^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: the undo of `2_b` is rolled back; nothing else was changed by this run, 1 still to be undone
  = help: mend the undo or the data and undo again: the run continues with `2_b`"
    );
    assert_eq!(tables(&database).await, ["a", "b"]);
}

#[tokio::test]
async fn an_older_build_cannot_undo_what_has_no_stored_undo() {
    let new = registry_with(
        &[("1_a.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")],
        &[Functions { name: "3_c", up: NOTHING, down: Some(NOTHING) }],
    );
    let database = applied(&new).await;
    let old = registry(&[("1_a.sql", "SELECT 1;")]);
    let error = failed(&database, &old, 3).await;
    assert_eq!(
        rendered(&error),
        "no undo for `3_c`, `2_b`, `1_a`\n  \
         = note: nothing was changed\n  \
         = note: not in this build, and stored without an undo in SQL: `3_c`, `2_b`\n  \
         = help: undo what this build does not know with the build that has it\n  \
         = help: add a `.down.sql` beside each migration, or write a new migration that reverts it"
    );
    assert_eq!(database.applied().await.len(), 3);
}

#[tokio::test]
async fn the_undo_of_the_build_goes_before_the_stored_one() {
    let up = ("1_a.sql", "CREATE TABLE a (id int);");
    let database = applied(&registry(&[up, ("1_a.down.sql", "DROP TABLE no_such;")])).await;
    let mended = registry(&[up, ("1_a.down.sql", "DROP TABLE a;")]);
    let report = Migrator::new(&mended).roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(report.done().len(), 1);
    assert_eq!(tables(&database).await, [""; 0]);
}

#[tokio::test]
async fn an_edited_migration_can_be_undone_and_applied_as_it_is_now() {
    let down = ("1_a.down.sql", "DROP TABLE a;");
    let database = applied(&registry(&[("1_a.sql", "CREATE TABLE a (id int);"), down])).await;
    let edited = registry(&[("1_a.sql", "CREATE TABLE a (id bigint);"), down]);
    let migrator = Migrator::new(&edited);
    assert_eq!(migrator.apply(database.pool()).await.unwrap_err().kind(), ErrorKind::Drift);
    assert_eq!(migrator.roll_back(database.pool(), 1).await.unwrap().done().len(), 1);
    assert_eq!(migrator.apply(database.pool()).await.unwrap().done().len(), 1);
    let kind = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'a'::regclass AND attname = 'id'";
    assert_eq!(database.texts(kind).await, ["bigint"]);
}

#[tokio::test]
async fn a_failing_undo_is_rolled_back_and_those_before_it_stay_undone() {
    let mut files = FIVE;
    files[5].1 = "ALTER TABLE c ADD x int;\nDROP TABLE no_such;\n";
    let registry = registry(&files);
    let database = applied(&registry).await;
    let error = failed(&database, &registry, 5).await;
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some(C)));
    assert_eq!(
        rendered(&error),
        "\
undo of `20250202-c` failed: table \"no_such\" does not exist (42P01)
 --> migrations/20250202-c.down.sql:2:1
  |
2 | DROP TABLE no_such;
  | ^^^^^^^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: the undo of `20250202-c` is rolled back; 2 migrations, `20250404_01-e` to `20250303-d`, were undone by this run and stay so, 3 still to be undone
  = help: mend the undo or the data and undo again: the run continues with `20250202-c`"
    );
    let report: Vec<_> = error.report().unwrap().done().iter().map(dunlin::Done::name).collect();
    assert_eq!(report, [E, D]);
    assert_eq!(database.applied().await, [A, B, C]);
    assert_eq!(tables(&database).await, ["a", "b", "c"]);
    let x = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'c'::regclass AND attname = 'x'";
    assert_eq!(database.number(x).await, 0);
    assert_eq!(database.n_locks().await, 0);
}

#[tokio::test]
async fn a_failing_undo_without_a_transaction_says_what_is_done() {
    let registry = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);\nCREATE INDEX i ON a (id);\n"),
        (
            "1_a.down.sql",
            "-- dunlin: no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\nDROP INDEX CONCURRENTLY j;\n",
        ),
    ]);
    let database = applied(&registry).await;
    let error = failed(&database, &registry, 1).await;
    assert_eq!(
        rendered(&error),
        "\
undo of `1_a` failed: index \"j\" does not exist (42704)
 --> migrations/1_a.down.sql:3:1
  |
3 | DROP INDEX CONCURRENTLY j;
  | ^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: it runs without a transaction: statement 1 of 2 is done and stays done; `1_a` counts as half undone
  = note: nothing else was changed by this run, 1 still to be undone
  = help: mend statement 2 and undo again: the run continues there"
    );
    assert_eq!(database.applied().await, ["1_a"]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'i'").await, 0);

    let error = Migrator::new(&registry).apply(database.pool()).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
the undo of `1_a` was begun and is not finished
  = note: 1 of its 2 statement(s) are done; nothing was changed by this run
  = help: undo it again, which continues behind what is done; then apply"
    );
    let whole = dunlin_tests::registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);\nCREATE INDEX i ON a (id);\n"),
        ("1_a.down.sql", "DROP TABLE a;"),
    ]);
    let error = failed(&database, &whole, 1).await;
    assert_eq!(error.kind(), ErrorKind::Drift, "{error:#}");
    // The first statement would fail a second time.
    database.run("CREATE INDEX i ON a (id); CREATE INDEX j ON a (id)").await;
    let report = Migrator::new(&registry).roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(report.done().len(), 1);
    assert_eq!(database.applied().await, [""; 0]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'j'").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'i'").await, 1);
}

#[tokio::test]
async fn an_undo_without_a_transaction_of_which_nothing_is_done_leaves_the_migration_applied() {
    let registry = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);\n"),
        ("1_a.down.sql", "-- dunlin: no-transaction\nDROP INDEX CONCURRENTLY j;\nDROP TABLE a;\n"),
    ]);
    let database = applied(&registry).await;
    let row = "SELECT to_jsonb(m)::text FROM migrations m";
    let before = database.texts(row).await;
    let error = failed(&database, &registry, 1).await;
    assert!(format!("{error:#}").contains("`1_a` still counts as applied"), "{error:#}");
    assert_eq!(database.texts(row).await, before);
    assert!(Migrator::new(&registry).apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn an_unfinished_migration_can_be_undone() {
    let registry = registry(&[
        ("1_a.sql", "-- dunlin: no-transaction\nCREATE TABLE a (id int);\nSELECT broken;\n"),
        ("1_a.down.sql", "DROP TABLE IF EXISTS a;\n"),
    ]);
    let database = TestDatabase::new();
    let migrator = Migrator::new(&registry);
    let error = migrator.apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Migration);
    let report = migrator.roll_back(database.pool(), 1).await.unwrap();
    assert_eq!((report.done().len(), report.n_total()), (1, 0));
    assert_eq!(database.applied().await, [""; 0]);
    assert_eq!(tables(&database).await, [""; 0]);
}

const NOTHING: Function = |_| Box::pin(async { Ok(()) });
const CREATE: Function = |cx| Box::pin(async { cx.batch_execute("CREATE TABLE r (id int)").await });
const DROP: Function = |cx| {
    Box::pin(async {
        cx.batch_execute("DROP TABLE r").await?;
        cx.progress("Dropped r");
        Ok(())
    })
};
const FAIL: Function = |cx| {
    Box::pin(async {
        cx.batch_execute("DROP TABLE r").await?;
        Err(Error::custom("3 requests would lose their owner"))
    })
};

#[tokio::test]
async fn a_migration_in_rust() {
    let registry = registry_with(&[], &[Functions { name: "1_r", up: CREATE, down: Some(DROP) }]);
    let database = applied(&registry).await;
    let recorder = Recorder::default();
    let migrator = Migrator::new(&registry).observer(recorder.clone());
    let _report = migrator.roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(
        recorder.lines(),
        [
            "↩️  Undoing 1 migration(s)...",
            "⏳ Undoing: 1_r",
            "   ✅ Dropped r",
            "✅ Undone: 1_r",
            "✅ Successfully undid 1 migration(s)",
            "📊 Total migrations: 0",
        ]
    );
    assert_eq!(tables(&database).await, [""; 0]);
    assert_eq!(database.applied().await, [""; 0]);
    assert_eq!(migrator.apply(database.pool()).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_failing_undo_in_rust_is_rolled_back() {
    let registry = registry_with(&[], &[Functions { name: "1_r", up: CREATE, down: Some(FAIL) }]);
    let database = applied(&registry).await;
    let error = failed(&database, &registry, 1).await;
    assert_eq!(
        rendered(&error),
        "\
undo of `1_r` failed: 3 requests would lose their owner
 --> migrations/1_r.rs:1:1
 = note: the undo of `1_r` is rolled back; nothing else was changed by this run, 1 still to be undone
 = help: mend the undo or the data and undo again: the run continues with `1_r`"
    );
    assert_eq!(tables(&database).await, ["r"]);
    assert_eq!(database.applied().await, ["1_r"]);
}

#[tokio::test]
async fn a_migration_in_rust_with_an_undo_in_sql_can_be_undone_by_an_older_build() {
    let new = registry_with(
        &[("1_a.sql", "SELECT 1;"), ("2_r.down.sql", "DROP TABLE r;")],
        &[Functions { name: "2_r", up: CREATE, down: None }],
    );
    let old = registry(&[("1_a.sql", "SELECT 1;")]);
    for registry in [&new, &old] {
        let database = applied(&new).await;
        let report = Migrator::new(registry).roll_back(database.pool(), 1).await.unwrap();
        assert_eq!(report.done()[0].name(), "2_r");
        assert_eq!(tables(&database).await, [""; 0]);
    }
}
