//! A connection as a run finds it: an open transaction, and the schemas of its search path.

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{TestDatabase, registry, rendered};

#[tokio::test]
async fn an_open_transaction_is_refused_and_left_open() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    let mut client = database.client().await;
    client.batch_execute("BEGIN; CREATE TABLE mine (id int)").await.unwrap();
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    assert_eq!(
        rendered(&error),
        "\
the connection is inside a transaction
  = note: each migration is a transaction of its own, so none may be open; nothing was changed
  = help: commit or roll back before migrating, or pass the pool"
    );
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM mine").await, 0);
}

#[tokio::test]
async fn an_open_transaction_is_told_when_the_question_has_aborted_it() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    client.batch_execute("BEGIN").await.unwrap();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    let text = rendered(&error);
    assert!(
        text.contains("\n  = note: it is aborted now, because there is no such history table"),
        "{text}"
    );
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection is inside a transaction that has failed");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(Migrator::new(&migrations).apply(&mut client).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn the_history_table_lies_in_the_first_schema_that_exists() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    database.run("CREATE SCHEMA app").await;
    let there =
        format!("{} options='-c search_path=\"$user\",app,public'", database.connection_string());
    let pool = dunlin_tests::pool(&there);
    assert_eq!(Migrator::new(&migrations).apply(&pool).await.unwrap().done().len(), 1);
    assert!(Migrator::new(&migrations).apply(&pool).await.unwrap().is_noop());
    let tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename IN ('a', 'migrations') ORDER BY 1";
    assert_eq!(database.texts(tables).await, ["app.a", "app.migrations"]);
}

#[tokio::test]
async fn a_history_table_in_a_later_schema_is_not_passed_over() {
    let plain = "CREATE TABLE migrations (id serial, name text, executed_at date)";
    for table in ["", plain] {
        let database = TestDatabase::new();
        let migrations = registry(&[("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);")]);
        if table.is_empty() {
            let _report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
        } else {
            database.run(table).await;
        }
        database.run("CREATE SCHEMA app").await;
        let there = format!("{} options='-c search_path=app,public'", database.connection_string());
        let pool = dunlin_tests::pool(&there);
        let error = Migrator::new(&migrations).apply(&pool).await.unwrap_err();
        assert_eq!(
            rendered(&error),
            "\
the history table is in schema `public`, but the search path begins with `app`
  = note: a second history table would make every migration run again; nothing was changed
  = help: name the schema: `Migrator::history_schema(\"public\")`, or `(\"app\")` to begin anew there"
        );
        let status = Migrator::new(&migrations).status(&pool).await;
        assert_eq!(status.unwrap_err().kind(), ErrorKind::History);
        if table.is_empty() {
            let migrator = Migrator::new(&migrations).history_schema("public");
            assert!(migrator.apply(&pool).await.unwrap().is_noop());
        }
        let migrator = Migrator::new(&migrations).history_schema("app");
        assert_eq!(migrator.apply(&pool).await.unwrap().done().len(), 1);
    }
}

#[tokio::test]
async fn without_any_schema_there_is_no_place_for_the_history_table() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let there = format!("{} options='-c search_path='", database.connection_string());
    let error = Migrator::new(&migrations).apply(&dunlin_tests::pool(&there)).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
no schema of the search path exists
  = note: the history table lives in the first schema of the search path; nothing was changed
  = help: create a schema of the search path, or name one: `Migrator::history_schema(\"...\")`"
    );
}
