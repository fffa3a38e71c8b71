//! The folders of other tools, as they are, on a real server.

use dunlin::{Error, ErrorKind, Migrator, Registry, State, Target};
use dunlin_tests::{TestDatabase, registry, rendered};

/// A fixture of core through the macro, and what core reads in it.
macro_rules! fixture {
    ($folder:tt, $expected:tt $(, $argument:ident = $value:tt)?) => {{
        static REGISTRY: Registry = dunlin::embed_migrations!($folder $(, $argument = $value)?);
        (&REGISTRY, include_str!($expected))
    }};
}

async fn apply(database: &TestDatabase, registry: &Registry) -> usize {
    let result = Migrator::new(registry).apply(database.pool()).await;
    result.unwrap_or_else(|error| panic!("{error:#}")).done().len()
}

async fn roll_back(database: &TestDatabase, registry: &Registry, target: impl Into<Target>) {
    let result = Migrator::new(registry).roll_back(database.pool(), target).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
}

/// Applies a whole folder, undoes what can be undone at its end, and applies that again.
async fn runs((registry, expected): (&'static Registry, &str)) {
    let names: Vec<_> = expected
        .lines()
        .skip_while(|line| line.starts_with("layout: "))
        .map(|line| line.split([',', ' ']).next().unwrap())
        .collect();
    let database = TestDatabase::new();
    assert_eq!(apply(&database, registry).await, names.len());
    assert_eq!(database.applied().await, names);
    assert_eq!(apply(&database, registry).await, 0);

    let migrations: Vec<_> = registry.iter().collect();
    let n_undos = migrations.iter().rev().take_while(|it| it.has_undo()).count();
    roll_back(&database, registry, n_undos).await;
    assert_eq!(database.applied().await, names[..names.len() - n_undos]);
    assert_eq!(apply(&database, registry).await, n_undos);
    assert_eq!(database.applied().await, names);
}

#[tokio::test]
async fn sqlx() {
    runs(fixture!(
        "../core/tests/folders/layout-sqlx/migrations",
        "../../core/tests/folders/layout-sqlx/expected.txt"
    ))
    .await;
    runs(fixture!(
        "../core/tests/folders/layout-sqlx--reversible/migrations",
        "../../core/tests/folders/layout-sqlx--reversible/expected.txt"
    ))
    .await;
    runs(fixture!(
        "../core/tests/folders/layout-sqlx--short-date-among-long-ones/migrations",
        "../../core/tests/folders/layout-sqlx--short-date-among-long-ones/expected.txt",
        layout = "sqlx"
    ))
    .await;
}

#[tokio::test]
async fn diesel() {
    runs(fixture!(
        "../core/tests/folders/layout-diesel/migrations",
        "../../core/tests/folders/layout-diesel/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn refinery() {
    runs(fixture!(
        "../core/tests/folders/layout-refinery/migrations",
        "../../core/tests/folders/layout-refinery/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn golang_migrate() {
    runs(fixture!(
        "../core/tests/folders/layout-golang-migrate/migrations",
        "../../core/tests/folders/layout-golang-migrate/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn goose() {
    runs(fixture!(
        "../core/tests/folders/layout-goose/migrations",
        "../../core/tests/folders/layout-goose/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn dbmate() {
    runs(fixture!(
        "../core/tests/folders/layout-dbmate/migrations",
        "../../core/tests/folders/layout-dbmate/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn sql_migrate() {
    runs(fixture!(
        "../core/tests/folders/layout-sql-migrate/migrations",
        "../../core/tests/folders/layout-sql-migrate/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn tern() {
    runs(fixture!(
        "../core/tests/folders/layout-tern/migrations",
        "../../core/tests/folders/layout-tern/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn flyway() {
    runs(fixture!(
        "../core/tests/folders/layout-flyway/migrations",
        "../../core/tests/folders/layout-flyway/expected.txt"
    ))
    .await;
}

#[tokio::test]
async fn prisma() {
    runs(fixture!(
        "../core/tests/folders/layout-prisma/migrations",
        "../../core/tests/folders/layout-prisma/expected.txt"
    ))
    .await;
}

/// The failure of the one migration that fails, which is said to be at `place`.
#[track_caller]
fn is_at(error: &Error, place: &str) {
    assert_eq!(error.kind(), ErrorKind::Migration);
    let text = rendered(error);
    assert!(text.contains(&format!(" --> migrations/{place}\n")), "no {place} in\n{text}");
}

async fn fails_at(files: &[(&str, &str)], place: &str) {
    let database = TestDatabase::new();
    let error = Migrator::new(&registry(files)).apply(database.pool()).await.unwrap_err();
    is_at(&error, place);
}

#[tokio::test]
async fn a_failing_statement_is_named_at_its_place_in_the_file() {
    // With a position from the server, behind characters of several bytes.
    fails_at(
        &[("1_a.sql", "-- größe\n-- +goose Up\nSELECT 1;\n  SELECT 'é', nope;\n-- +goose Down\n")],
        "1_a.sql:4:15",
    )
    .await;
    // Without one.
    fails_at(
        &[("1_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n\n  ALTER TABLE b ADD c int;\n")],
        "1_a.sql:4:3",
    )
    .await;
    // Behind a semicolon that is ours.
    fails_at(
        &[(
            "1_a.sql",
            "-- +migrate Up\n-- +migrate StatementBegin\nCREATE TABLE a (id int)\n\
             -- +migrate StatementEnd\nSELECT nope;\n",
        )],
        "1_a.sql:5:8",
    )
    .await;
    fails_at(
        &[("2020-01-01-000000_a/up.sql", "SELECT 1;\nSELECT nope;\n")],
        "2020-01-01-000000_a/up.sql:2:8",
    )
    .await;
    fails_at(&[("0_init/migration.sql", "SELECT nope;\n")], "0_init/migration.sql:1:8").await;
    fails_at(&[("V1.2__a.sql", "SELECT 1;\nSELECT nope;\n")], "V1.2__a.sql:2:8").await;
    fails_at(&[("1_a.sql", "-- no-transaction\nVACUUM;\n VACUUM nope;\n")], "1_a.sql:3:2").await;
    fails_at(
        &[("1_a.sql", "SELECT 1;\nSELECT nope;\n---- create above / drop below ----\nSELECT 2;\n")],
        "1_a.sql:2:8",
    )
    .await;
}

#[tokio::test]
async fn a_failing_undo_is_named_at_its_place_in_the_file() {
    for (name, up, down) in [
        ("1_a.sql", "-- +goose Up", "-- +goose Down"),
        ("1_a.sql", "-- migrate:up", "-- migrate:down"),
        ("1_a.sql", "-- +migrate Up", "-- +migrate Down"),
        ("1_a.sql", "-- up", "---- create above / drop below ----"),
    ] {
        let text = format!(
            "{up}\nCREATE TABLE größe (id int);\n\n{down}\nSELECT 1;\n SELECT 'ß', nope;\n"
        );
        let migrations = registry(&[(name, &text)]);
        let database = TestDatabase::new();
        let _n = apply(&database, &migrations).await;
        let error = Migrator::new(&migrations).roll_back(database.pool(), 1).await.unwrap_err();
        is_at(&error, "1_a.sql:6:14");
        assert_eq!(database.applied().await, ["1_a"]);
    }
}

#[tokio::test]
async fn an_edited_undo_is_no_drift_and_an_edited_migration_is_shown_where_it_stands() {
    let database = TestDatabase::new();
    let goose = |up: &str, down: &str| {
        registry(&[("1_a.sql", &format!("-- why\n\n-- +goose Up\n{up}\n{down}"))])
    };
    let first = goose("CREATE TABLE a (id int);", "");
    assert_eq!(apply(&database, &first).await, 1);
    let undoable = goose("CREATE TABLE a (id int);", "\n-- +goose Down\nDROP TABLE a;\n");
    assert_eq!(apply(&database, &undoable).await, 0);
    let _verified = Migrator::new(&undoable).verify(database.pool()).await.unwrap();

    let edited = goose("CREATE TABLE a (id bigint);", "\n-- +goose Down\nDROP TABLE a;\n");
    let error = Migrator::new(&edited).apply(database.pool()).await.unwrap_err();
    let text = rendered(&error);
    assert!(text.contains("@@ -2,3 +2,3 @@"), "{text}");
    assert!(text.contains("-CREATE TABLE a (id int);\n+CREATE TABLE a (id bigint);"), "{text}");
    assert!(!text.contains("DROP TABLE"), "{text}");
}

#[tokio::test]
async fn late_newer_and_targeted_follow_the_order_of_the_tool() {
    let database = TestDatabase::new();
    let mut files = vec![
        ("V1__a.sql", "CREATE TABLE a (id int);\n"),
        ("V1.10__c.sql", "CREATE TABLE c (id int);\n"),
    ];
    assert_eq!(apply(&database, &registry(&files)).await, 2);
    files.push(("V1.9__b.sql", "CREATE TABLE b (id int);\n"));
    files.push(("V2__d.sql", "CREATE TABLE d (id int);\n"));
    let migrations = registry(&files);
    let status = Migrator::new(&migrations).status(database.pool()).await.unwrap();
    let states: Vec<_> = status.entries().iter().map(|it| (it.name(), it.state())).collect();
    assert_eq!(
        states,
        [
            ("V1__a", State::Applied),
            ("V1.9__b", State::Late),
            ("V1.10__c", State::Applied),
            ("V2__d", State::Pending),
        ]
    );
    let report = Migrator::new(&migrations).apply_to(database.pool(), "1.10").await.unwrap();
    assert_eq!(report.done().iter().map(|done| done.name()).collect::<Vec<_>>(), ["V1.9__b"]);
    let older = registry(&files[..2]);
    let plan = Migrator::new(&older).plan(database.pool()).await;
    assert!(plan.is_err(), "V1.9 is missing from this build, which has V1.10");
}

#[tokio::test]
async fn an_older_build_undoes_what_runs_without_a_transaction() {
    let database = TestDatabase::new();
    let table = ("1_a.sql", "-- +goose Up\nCREATE TABLE a (id int);\n");
    let index = (
        "2_i.sql",
        "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON a (id);\n\
         -- +goose Down\nDROP INDEX CONCURRENTLY i;\n",
    );
    assert_eq!(apply(&database, &registry(&[table, index])).await, 2);
    roll_back(&database, &registry(&[table]), 1).await;
    assert_eq!(database.applied().await, ["1_a"]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'i'").await, 0);
}

/// A folder that is read at run time gives what the macro gives, undo and what is left out included.
#[tokio::test]
async fn a_folder_gives_the_same_when_it_is_read_later() {
    static EMBEDDED: Registry =
        dunlin::embed_migrations!("../core/tests/folders/layout-dbmate/migrations");
    let folder = std::path::Path::new("../core/tests/folders/layout-dbmate/migrations");
    let read = dunlin_tests::registry_of(folder, &[]);
    let of = |registry: &Registry| -> Vec<_> {
        let facts = |it: &'static dunlin::Migration| {
            (it.name(), it.version().clone(), it.checksum(), it.text(), it.has_undo())
        };
        registry.iter().map(facts).collect()
    };
    assert!(!EMBEDDED.is_empty());
    assert_eq!(of(&EMBEDDED), of(&read));
    let (one, other) = (TestDatabase::new(), TestDatabase::new());
    for (database, registry) in [(&one, &EMBEDDED), (&other, &read)] {
        assert_eq!(apply(database, registry).await, registry.len());
    }
    let rows = "SELECT concat_ws(' ', name, checksum, kind, up_text, down_text) FROM migrations ORDER BY id";
    assert_eq!(one.texts(rows).await, other.texts(rows).await);
}
