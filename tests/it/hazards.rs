//! Settings and server objects that make assumptions wrong.

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{
    Functions, TALLY, TestDatabase, Verb, connect, pool_of, registry, registry_with, rendered,
};

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
        "default_tablespace = pg_default",
        "temp_tablespaces = pg_default",
        "default_table_access_method = heap",
        "lc_messages = 'C'",
        "lc_monetary = 'C'",
        "xmloption = document",
        "escape_string_warning = off",
        "idle_session_timeout = 1000",
        "jit = off",
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

/// Each of these would kill a long migration at the same point in every start.
#[tokio::test]
async fn the_limits_of_a_role_kill_no_migration() {
    let database = TestDatabase::new();
    let limits: &[&str] = match dunlin_tests::server().major_version() {
        17.. => &[
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "idle_session_timeout",
            "transaction_timeout",
        ],
        _ => &["statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"],
    };
    let name = database.texts("SELECT current_database()::text").await.remove(0);
    let seen = "SELECT name, setting FROM pg_settings WHERE name = ANY (string_to_array(current_setting('app.limits'), ' '))";
    database.run("CREATE TABLE seen (name text, setting text)").await;
    for limit in limits {
        database.run(&format!("ALTER DATABASE {name} SET {limit} = '1s'")).await;
    }
    let look = format!("INSERT INTO seen {seen};");
    let migrations = registry_with(
        &[
            ("1_a.sql", &format!("SELECT pg_sleep(1.3);\n{look}")),
            (
                "2_b.sql",
                &format!(
                    "-- dunlin: no-transaction\nSELECT pg_sleep(1.3);\n{look}\nCREATE INDEX CONCURRENTLY ON seen (name);"
                ),
            ),
        ],
        &[Functions {
            name: "3_c",
            up: |cx| {
                Box::pin(async {
                    cx.batch_execute("SELECT 1").await?;
                    // Idle in its transaction: it computes something.
                    tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
                    cx.batch_execute("SELECT 2").await
                })
            },
            down: None,
        }],
    );
    let mut client = database.client().await;
    client.batch_execute(&format!("SET app.limits = '{}'", limits.join(" "))).await.unwrap();
    let report = Migrator::new(&migrations).apply(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 3);
    let n_seen = database.number("SELECT count(*) FROM seen WHERE setting = '0'").await;
    assert_eq!(n_seen, 2 * i64::try_from(limits.len()).unwrap());
    // And they are as they were.
    for limit in limits {
        let shown: String = client.query_one(&format!("SHOW {limit}"), &[]).await.unwrap().get(0);
        assert_eq!(shown, "1s", "{limit}");
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
