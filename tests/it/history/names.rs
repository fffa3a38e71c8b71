//! What else may have the table's name, and which names it may have.

use dunlin::{Migrator, State};
use dunlin_tests::{TestDatabase, registry, rendered};

use super::{refused, tables};

const PLAIN: &str = "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, \
    executed_at timestamp DEFAULT now());";

#[tokio::test]
async fn an_older_tracking_table_is_adopted_on_request() {
    let database = TestDatabase::new();
    database
        .run(&format!("{PLAIN} INSERT INTO migrations (name) VALUES ('0001_t1'), ('0002_t2')"))
        .await;
    let migrations = tables(3);
    assert_eq!(
        refused(&migrations, &database).await,
        "\
\"public\".\"migrations\" is an older tracking table: it has only id, name and executed_at
  = note: nothing was changed; Dunlin keeps checksums beside these columns and adds them only on request
  = help: if its names are those of the migrations here, add the columns once: `Migrator::adopt`
  = help: or keep another table: `Migrator::history_table(\"dunlin_migrations\")`"
    );
    let columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'migrations'::regclass AND attnum > 0";
    assert_eq!(database.number(columns).await, 3);

    assert!(Migrator::new(&migrations).adopt(database.pool()).await.unwrap());
    assert!(!Migrator::new(&migrations).adopt(database.pool()).await.unwrap());
    let status = Migrator::new(&migrations).verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (2, 1));

    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    let done: Vec<_> = report.done().iter().map(dunlin::Done::name).collect();
    assert_eq!((done, report.n_total()), (vec!["0003_t3"], 3));
    assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
    let kinds = database.texts("SELECT kind FROM migrations ORDER BY id").await;
    assert_eq!(kinds, ["adopted", "adopted", "sql"]);
    assert_eq!(database.n_locks().await, 0);
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_left_alone() {
    for (sql, what) in [
        ("CREATE VIEW migrations AS SELECT 1 AS id", "it is a view"),
        ("CREATE MATERIALIZED VIEW migrations AS SELECT 1 AS id", "it is a materialized view"),
        ("CREATE SEQUENCE migrations", "it is a sequence"),
        ("CREATE TABLE x (id int); CREATE INDEX migrations ON x (id)", "it is an index"),
        ("CREATE TYPE migrations AS (a int)", "it is a type"),
        (
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; \
             CREATE FOREIGN TABLE migrations (id int, name text, executed_at date) SERVER s",
            "it is a foreign table",
        ),
        (
            "CREATE TABLE migrations (version bigint, success boolean)",
            "it has no columns id, name, executed_at",
        ),
        (
            "CREATE TABLE migrations (id serial, migration varchar, batch int)",
            "it has no columns name, executed_at",
        ),
        (
            "CREATE TABLE migrations (id int, name int, executed_at date, checksum json)",
            "its column name is of type integer",
        ),
        (
            "CREATE TABLE migrations (id int, name text, executed_at date, batch int)",
            "besides id, name and executed_at it has batch",
        ),
    ] {
        let database = TestDatabase::new();
        database.run(sql).await;
        let all = "SELECT string_agg(format('%s %s %s', relname, relkind, relnatts), ', ' ORDER BY oid) FROM pg_class WHERE oid > 16383";
        let before = database.texts(all).await;
        let expected = format!(
            "\
\"public\".\"migrations\" is not a history table: {what}
  = note: nothing was changed; it belongs to somebody else
  = help: give the history table another name: `Migrator::history_table(\"dunlin_migrations\")`"
        );
        assert_eq!(refused(&tables(1), &database).await, expected);
        let error = Migrator::new(&tables(1)).adopt(database.pool()).await.unwrap_err();
        assert_eq!(rendered(&error), expected);
        let error = Migrator::new(&tables(1)).status(database.pool()).await.unwrap_err();
        assert_eq!(rendered(&error), expected);
        assert_eq!(database.texts(all).await, before);

        let other = tables(1);
        let other = Migrator::new(&other).history_table("dunlin_migrations");
        assert_eq!(other.apply(database.pool()).await.unwrap().done().len(), 1);
    }
}

#[tokio::test]
async fn a_type_with_the_tables_name_is_found_when_the_table_is_created() {
    let database = TestDatabase::new();
    database.run("CREATE TYPE migrations AS ENUM ('a')").await;
    let error = Migrator::new(&tables(1)).apply(database.pool()).await.unwrap_err();
    let text = rendered(&error);
    assert!(text.contains("type \"migrations\" already exists (42710)"), "{text}");
    assert!(text.contains("= note: nothing was changed\n"), "{text}");
    assert!(text.ends_with("`Migrator::history_table(\"dunlin_migrations\")`"), "{text}");
}

#[tokio::test]
async fn names_are_taken_as_they_are() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);")]);
    for (schema, table) in [
        ("Order \"s\"", "My.Migrations"),
        ("select", "table"),
        ("größe 表", "émigré's 😀"),
        ("back\\slash", "E'x'; DROP TABLE a; --"),
        ("$1", "%s"),
    ] {
        let migrator = Migrator::new(&migrations).history_schema(schema).history_table(table);
        let report = migrator.apply(database.pool()).await.unwrap();
        assert!(report.history_created(), "{schema} {table}");
        assert!(migrator.apply(database.pool()).await.unwrap().is_noop(), "{schema} {table}");
        assert_eq!(migrator.status(database.pool()).await.unwrap().n_applied(), 1);
        let there = database
            .client()
            .await
            .query(
                "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2",
                &[&schema, &table],
            )
            .await;
        assert_eq!(there.unwrap().len(), 1, "{schema} {table}");
    }
    assert_eq!(database.number("SELECT count(*) FROM a").await, 0);
}

#[tokio::test]
async fn a_name_that_the_server_cannot_have_is_refused() {
    let database = TestDatabase::new();
    let migrations = tables(1);
    let long = "é".repeat(32);
    for (table, fact) in [
        (long.as_str(), "it has 64 bytes, and PostgreSQL keeps 63"),
        ("", "it is empty"),
        ("a\0b", "it has a NUL character in it"),
    ] {
        for what in ["table", "schema"] {
            let migrator = Migrator::new(&migrations);
            let migrator = match what {
                "table" => migrator.history_table(table),
                _ => migrator.history_schema(table),
            };
            let error = migrator.apply(database.pool()).await.unwrap_err();
            assert_eq!(
                rendered(&error),
                format!(
                    "\
{table:?} cannot be the {what} of the history: {fact}
  = note: nothing was changed
  = help: choose another name: `Migrator::history_{what}`"
                )
            );
        }
    }
    let longest = format!("{}a", "é".repeat(31));
    let migrator = Migrator::new(&migrations).history_table(&longest).history_schema(&longest);
    assert_eq!(migrator.apply(database.pool()).await.unwrap().done().len(), 1);
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
}
