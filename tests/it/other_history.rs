//! The database of another tool, which nobody has taken over.

use dunlin::{ErrorKind, Event, Migrator, Policy, Registry};
use dunlin_tests::{Recorder, TestDatabase, registry};

/// The tools by their names, with their tables and what they write.
const HISTORIES: [(&str, &str, &str); 11] = [
    ("sqlx", "_sqlx_migrations", include_str!("../sql/histories/sqlx.sql")),
    ("diesel", "__diesel_schema_migrations", include_str!("../sql/histories/diesel.sql")),
    ("refinery", "refinery_schema_history", include_str!("../sql/histories/refinery.sql")),
    ("golang-migrate", "schema_migrations", include_str!("../sql/histories/golang-migrate.sql")),
    ("goose", "goose_db_version", include_str!("../sql/histories/goose.sql")),
    ("dbmate", "schema_migrations", include_str!("../sql/histories/dbmate.sql")),
    ("sql-migrate", "gorp_migrations", include_str!("../sql/histories/sql-migrate.sql")),
    ("tern", "schema_version", include_str!("../sql/histories/tern.sql")),
    ("Flyway", "flyway_schema_history", include_str!("../sql/histories/flyway.sql")),
    ("Prisma", "_prisma_migrations", include_str!("../sql/histories/prisma.sql")),
    ("Sequelize", "SequelizeMeta", include_str!("../sql/histories/sequelize.sql")),
];

/// The first is what the tool has applied already.
fn migrations() -> Registry {
    registry(&[
        ("1_new.sql", "CREATE TABLE IF NOT EXISTS new (id int);"),
        ("2_users.sql", "CREATE TABLE users (id int);"),
    ])
}

async fn is_untouched(database: &TestDatabase) -> bool {
    let made =
        "SELECT count(*) FROM pg_class WHERE relname IN ('migrations', 'migrations_log', 'new')";
    database.number(made).await == 0 && database.n_locks().await == 0
}

#[tokio::test]
async fn a_run_is_refused_before_anything_runs() {
    let migrations = migrations();
    for (tool, table, sql) in HISTORIES {
        let database = TestDatabase::new();
        database.run(&format!("CREATE TABLE users (id int); {sql}")).await;
        let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OtherHistory, "{error:#}");
        let headline =
            format!("this database has a history of {tool} (public.{table}), and none of Dunlin's");
        assert_eq!(error.to_string(), headline);
        let id = tool.to_lowercase();
        let help = format!("`cargo dunlin adopt --from {id}` shows it and asks first");
        assert!(format!("{error:#}").contains(&help), "{error:#}");
        assert!(is_untouched(&database).await, "{tool}");
    }
}

#[tokio::test]
async fn a_table_in_which_nothing_is_applied_stands_in_nobodys_way() {
    let migrations = migrations();
    for (tool, table, sql) in HISTORIES {
        let database = TestDatabase::new();
        // What comes with the table.
        let first = match tool {
            "goose" => {
                "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)".to_owned()
            }
            "tern" => "INSERT INTO schema_version VALUES (0)".to_owned(),
            "Flyway" => "INSERT INTO flyway_schema_history VALUES \
                (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"public\"', NULL, 'ana', now(), 0, true)"
                .to_owned(),
            _ => String::new(),
        };
        database.run(&format!("{sql}; DELETE FROM \"{table}\"; {first}")).await;
        let report = Migrator::new(&migrations).apply(database.pool()).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{tool}: {error:#}")).done().len(), 2);
    }
}

#[tokio::test]
async fn a_policy_goes_on_and_tells() {
    let (migrations, database) = (migrations(), TestDatabase::new());
    database.run(HISTORIES[0].2).await;
    let recorder = Recorder::default();
    let migrator = Migrator::new(&migrations)
        .on_other_history(Policy::Announce)
        .observer(recorder.clone())
        .observer(|event: &Event<'_>| {
            if let Event::OtherHistory { tool, table } = event {
                assert_eq!((*tool, *table), ("sqlx", "public._sqlx_migrations"));
            }
        });
    assert_eq!(migrator.apply(database.pool()).await.unwrap().done().len(), 2);
    let told =
        "This database has a history of sqlx (public._sqlx_migrations), which is not taken over";
    assert_eq!(recorder.lines().iter().filter(|it| it.contains(told)).count(), 1);
    // From now on there is a history of ours, and nobody asks for another one.
    let more = registry(&[
        ("1_new.sql", "CREATE TABLE IF NOT EXISTS new (id int);"),
        ("2_users.sql", "CREATE TABLE users (id int);"),
        ("3_more.sql", "CREATE TABLE more (id int);"),
    ]);
    let report = Migrator::new(&more).apply(database.pool()).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 1);
}

/// As a first run leaves it whose first migration has failed.
#[tokio::test]
async fn a_history_of_ours_without_rows_is_none() {
    let (migrations, database) = (migrations(), TestDatabase::new());
    let _created = Migrator::new(&registry(&[("1_x.sql", "SELECT 1 / 0;")]))
        .apply(database.pool())
        .await
        .unwrap_err();
    assert_eq!(database.applied().await, Vec::<String>::new());
    database.run(HISTORIES[0].2).await;
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherHistory, "{error:#}");
    assert_eq!(database.applied().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_history_of_another_application_stands_in_nobodys_way() {
    let (migrations, database) = (migrations(), TestDatabase::new());
    let away = "CREATE SCHEMA billing; SET search_path TO billing";
    database.run(&format!("{away}; {}", HISTORIES[0].2)).await;
    let report = Migrator::new(&migrations).apply(database.pool()).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
    // Where that application's history is, it counts.
    let there = Migrator::new(&migrations).history_schema("billing");
    let error = there.apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherHistory, "{error:#}");
    let help = "`cargo dunlin adopt --from sqlx --from-table billing._sqlx_migrations`";
    assert!(format!("{error:#}").contains(help), "{error:#}");
}

/// What this role may not read may hold anything.
#[tokio::test]
async fn a_table_that_may_not_be_read_counts() {
    let (migrations, database) = (migrations(), TestDatabase::new());
    let sql = HISTORIES[0].2;
    database
        .run(&format!(
            "{sql}; CREATE ROLE reads_nothing; GRANT ALL ON SCHEMA public TO reads_nothing"
        ))
        .await;
    let mut client = database.client().await;
    client.batch_execute("SET ROLE reads_nothing").await.unwrap();
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OtherHistory, "{error:#}");
    drop(client);
    database.run("DROP OWNED BY reads_nothing; DROP ROLE reads_nothing").await;
}

#[tokio::test]
async fn what_a_person_records_is_not_refused() {
    let (migrations, database) = (migrations(), TestDatabase::new());
    database.run(HISTORIES[0].2).await;
    let migrator = Migrator::new(&migrations);
    let _plan = migrator.plan(database.pool()).await.unwrap();
    let report = migrator.baseline(database.pool(), dunlin::Target::Latest).await.unwrap();
    assert_eq!(report.done().len(), 2);
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
}
