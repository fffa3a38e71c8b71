//! Settings and server objects that make assumptions wrong.

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{TALLY, TestDatabase, Verb, connect, pool_of, registry, rendered};

use crate::cuts::{EMPTY, MIXED};

#[tokio::test]
async fn no_setting_of_the_database_disturbs_a_run() {
    let database = TestDatabase::new();
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    let all = MIXED.registry(MIXED.0.len());
    for setting in [
        "default_transaction_isolation = serializable",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_deferrable = on",
        "standard_conforming_strings = off",
        "backslash_quote = off",
        "\"DateStyle\" = 'SQL, DMY'",
        "\"TimeZone\" = 'Asia/Kathmandu'",
        "\"IntervalStyle\" = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
        "quote_all_identifiers = on",
        "row_security = off",
        "transform_null_equals = on",
        "lock_timeout = 1",
        "statement_timeout = '2s'",
        "idle_in_transaction_session_timeout = 1000",
        "synchronous_commit = off",
        "session_replication_role = replica",
        "check_function_bodies = off",
        "array_nulls = off",
        "client_min_messages = debug1",
        "search_path = public, pg_catalog",
        "enable_seqscan = off",
    ] {
        database.run(&format!("{EMPTY}; {TALLY}; ALTER DATABASE {name} SET {setting}")).await;
        let mut client = database.client().await;
        for verb in [Verb::Apply, Verb::RollBack] {
            let report = MIXED.run(verb, &all, &mut client).await;
            let report = report.unwrap_or_else(|error| panic!("{setting}: {error:#}"));
            assert_eq!(report.done().len(), MIXED.0.len(), "{setting}");
            let again = MIXED.run(verb, &all, &mut client).await.unwrap();
            assert!(again.is_noop(), "{setting}");
            let harm = MIXED.look(verb, &client, &[]).await;
            assert_eq!((harm.n_lost, harm.n_twice), (0, 0), "{setting}");
        }
        database.run(&format!("ALTER DATABASE {name} RESET ALL")).await;
    }
}

#[tokio::test]
async fn an_empty_search_path_needs_the_schema_named() {
    let database = TestDatabase::new();
    let through = format!("{} options='-c search_path='", database.connection_string());
    let registry = registry(&[("1_a.sql", "CREATE TABLE public.a (id int);")]);
    let pool = pool_of(1, &through);
    let error = Migrator::new(&registry).apply(&pool).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History);
    let migrator = Migrator::new(&registry).history_schema("public");
    assert_eq!(migrator.apply(&pool).await.unwrap().done().len(), 1);
    assert!(migrator.apply(&pool).await.unwrap().is_noop());
}

/// Hidden rows would make migrations run twice.
#[tokio::test]
async fn a_history_that_hides_rows_is_refused() {
    let database = TestDatabase::new();
    let role = database.texts("SELECT current_database()::text").await.remove(0);
    database.run(&format!("CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")).await;
    let through = database.connection_string().replace("user=postgres", &format!("user={role}"));
    let registry = registry(&[("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);")]);
    let mut client = connect(&through).await;
    assert_eq!(Migrator::new(&registry).apply(&mut client).await.unwrap().done().len(), 1);
    database
        .run("ALTER TABLE migrations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        .await;
    let error = Migrator::new(&registry).apply(&mut client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History);
    assert_eq!(
        rendered(&error),
        "\
row-level security may hide rows of \"public\".\"migrations\" from this role
  = note: a migration whose row is hidden would run again; nothing was changed
  = help: ALTER TABLE \"public\".\"migrations\" DISABLE ROW LEVEL SECURITY, or migrate as a role with BYPASSRLS"
    );
    drop(client);
    database.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn an_event_trigger_that_refuses_leaves_nothing_half_done() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.b') \
             THEN RAISE 'no b'; END IF; END $$; \
             CREATE EVENT TRIGGER refuses ON ddl_command_end EXECUTE FUNCTION refuse()",
        )
        .await;
    let registry = registry(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "CREATE TABLE c (id int); CREATE TABLE b (id int);"),
    ]);
    let error = Migrator::new(&registry).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some("2_b")));
    assert_eq!(database.applied().await, ["1_a"]);
    assert_eq!(database.number("SELECT count(*) FROM pg_class WHERE relname = 'c'").await, 0);
    database.run("DROP EVENT TRIGGER refuses").await;
    assert_eq!(Migrator::new(&registry).apply(database.pool()).await.unwrap().n_total(), 2);
}

/// A pool may lend a connection that broke while nobody used it.
#[tokio::test]
async fn a_pool_whose_idle_connection_was_cut_starts_all_the_same() {
    let database = TestDatabase::new();
    let proxy = dunlin_tests::Proxy::start(&database.connection_string()).await;
    let pool = pool_of(1, proxy.connection_string());
    let registry = registry(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    drop(pool.get().await.unwrap());
    let mut moment = proxy.hold(dunlin_tests::Side::Client, 0);
    let migrator = Migrator::new(&registry);
    let cutting = async {
        moment.comes().await;
        moment.cut();
    };
    let (report, ()) = tokio::join!(migrator.apply(&pool), cutting);
    assert_eq!(report.unwrap().done().len(), 1);
}
