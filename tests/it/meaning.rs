//! What the build says statements mean, held against a server.

use dunlin::{Error, Migrator, Registry};
use dunlin_core::{Folder, Options, Rule};
use dunlin_tests::{TestDatabase, registry, rendered};

/// The rules that one file breaks, and what is said.
fn found(sql: &str) -> Vec<(Rule, String)> {
    let folder = dunlin_tests::folder(&[("1_x.sql", sql)]);
    let reading = Folder::read(&folder, "migrations", &Options::default());
    std::fs::remove_dir_all(&folder).unwrap();
    reading.diagnostics.iter().map(|it| (it.rule(), it.to_string())).collect()
}

async fn apply(database: &TestDatabase, registry: &Registry) -> Result<(), Error> {
    Migrator::new(registry).apply(database.pool()).await.map(|_report| ())
}

#[tokio::test]
async fn a_value_that_is_refused_here_is_refused_there() {
    let database = TestDatabase::new();
    database
        .run("CREATE TYPE status AS ENUM ('a'); CREATE TABLE jobs (id int, status status, note text)")
        .await;
    let mut client = database.client().await;
    for (uses, statement) in [
        (true, "INSERT INTO jobs (status) VALUES ('new')"),
        (true, "UPDATE jobs SET status = 'new'"),
        (true, "SELECT 'new'::status WHERE false"),
        (true, "ALTER TABLE jobs ALTER COLUMN status SET DEFAULT 'new'"),
        (true, "ALTER TABLE jobs ADD CHECK (status <> 'new')"),
        (true, "CREATE INDEX ON jobs (id) WHERE status = E'new'"),
        (true, "CREATE VIEW v AS SELECT * FROM jobs WHERE status = $$new$$"),
        (
            true,
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM jobs WHERE status = 'new' $$",
        ),
        (
            true,
            "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM jobs WHERE status = 'new'; END",
        ),
        (true, "DO $do$ BEGIN UPDATE jobs SET status = 'new'; END $do$"),
        (true, "PREPARE p AS SELECT 'new'::status"),
        (false, "ALTER TYPE status ADD VALUE 'newer' AFTER 'new'"),
        (false, "ALTER TYPE status RENAME VALUE 'new' TO 'old'"),
        (false, "COMMENT ON TYPE status IS 'new'"),
        (
            false,
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE jobs SET status = 'new'; END $$",
        ),
        (false, "UPDATE jobs SET status = 'a'"),
        (false, "UPDATE jobs SET note = 'renewed'"),
    ] {
        let sql = format!("ALTER TYPE status ADD VALUE 'new';\n{statement};\n");
        let is_told = found(&sql).iter().any(|(rule, _)| *rule == Rule::EnumValueUsed);
        let transaction = client.transaction().await.unwrap();
        let refused = transaction.batch_execute(&sql).await.err();
        transaction.rollback().await.unwrap();
        let code = refused.map(|error| error.code().map(|code| code.code().to_owned()));
        assert_eq!(code, uses.then(|| Some("55P04".to_owned())), "{statement}");
        assert_eq!(is_told, uses, "{statement}");
    }
}

#[tokio::test]
async fn a_name_becomes_what_the_build_says_it_becomes() {
    let database = TestDatabase::new();
    for (quote, length) in [("\"", 31), ("\"", 32), ("\"", 40), ("", 31), ("", 32)] {
        let written = format!("{quote}{}{quote}", "é".repeat(length));
        let sql = format!("CREATE TABLE {written} (id int);\n");
        database.run(&sql).await;
        let stored = database
            .texts("SELECT relname::text FROM pg_class WHERE relname LIKE 'éé%' ORDER BY oid DESC LIMIT 1")
            .await;
        database.run(&format!("DROP TABLE {written}")).await;
        let told = found(&sql);
        if length * 2 <= 63 {
            assert_eq!(told, [], "{written}");
        } else {
            assert!(told[0].1.contains(&format!("becomes `{}`", stored[0])), "{told:?}");
        }
    }
}

const WRAPPED: &str = "-- from another tool\nBEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n";

#[tokio::test]
async fn a_wrapper_is_left_out_of_what_runs() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("1_a.sql", WRAPPED),
        ("1_a.down.sql", "START TRANSACTION;\nDROP TABLE a;\nEND\n"),
    ]);
    apply(&database, &migrations).await.unwrap();
    assert_eq!(database.texts("SELECT up_text FROM migrations").await, [WRAPPED]);
    let checksum = dunlin::Checksum::of(WRAPPED).to_string();
    assert_eq!(database.texts("SELECT checksum FROM migrations").await, [checksum]);
    assert_eq!(migrations.get("1_a").unwrap().text(), WRAPPED);
    // An older build undoes it with the text that is stored.
    let older = registry(&[]);
    let report = Migrator::new(&older).roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(report.done().len(), 1);
    assert_eq!(
        database.texts("SELECT relname::text FROM pg_class WHERE relname = 'a'").await,
        [""; 0]
    );
    apply(&database, &migrations).await.unwrap();
    let report = Migrator::new(&migrations).roll_back(database.pool(), 1).await.unwrap();
    assert_eq!(report.done().len(), 1);
}

#[tokio::test]
async fn a_wrapper_around_nothing_runs_nothing() {
    let database = TestDatabase::new();
    apply(&database, &registry(&[("1_a.sql", "BEGIN;\n-- nothing\nCOMMIT;\n")])).await.unwrap();
    assert_eq!(database.applied().await, ["1_a"]);
}

#[tokio::test]
async fn what_fails_inside_a_wrapper_leaves_nothing_and_is_told_in_its_place() {
    let database = TestDatabase::new();
    let sql = "BEGIN; CREATE TABLE a (id int);\n  SELECT é, nope FROM a;\nCOMMIT;\n";
    let error = apply(&database, &registry(&[("1_x.sql", sql)])).await.unwrap_err();
    let text = rendered(&error);
    assert!(text.contains("--> migrations/1_x.sql:2:10\n"), "{text}");
    assert_eq!(database.applied().await, [""; 0]);
    assert_eq!(
        database.texts("SELECT relname::text FROM pg_class WHERE relname = 'a'").await,
        [""; 0]
    );
}

#[tokio::test]
async fn the_table_named_in_the_macro_is_the_one_that_is_used() {
    static MIGRATIONS: Registry =
        dunlin::embed_migrations!("../migrations", history_table = "Schema History");
    let database = TestDatabase::new();
    apply(&database, &MIGRATIONS).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM \"Schema History\"").await, 14);
    let elsewhere = Migrator::new(&MIGRATIONS).history_table("other");
    assert_eq!(elsewhere.status(database.pool()).await.unwrap().n_pending(), 14);
}
