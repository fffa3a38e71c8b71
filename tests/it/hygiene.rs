//! What a migration sets reaches neither the next one, nor the history table, nor the application.

mod belongings;
mod found;

use dunlin::Migrator;
use dunlin_tests::{Functions, Proxy, Recorder, Side, TestDatabase, registry, registry_with};
use tokio_postgres::Client;

/// What migrations do to a session; a role `other` and a schema `elsewhere` exist.
const SETS: [&str; 17] = [
    "SET search_path = elsewhere",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET LOCAL search_path = elsewhere",
    "SET ROLE other",
    "SET LOCAL ROLE other",
    "SET SESSION AUTHORIZATION other",
    "SET statement_timeout = 60000; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 5000",
    "SET app.tenant = 'migration'",
    "SELECT set_config('app.tenant', 'migration', false)",
    "SET LOCAL app.tenant = 'migration'",
    "DO $$ BEGIN PERFORM set_config('app.tenant', 'migration', false); END $$",
    "SET client_encoding = 'LATIN1'; SET standard_conforming_strings = off",
    "SET default_transaction_read_only = on",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    "SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE; SET datestyle = 'German'; SET application_name = 'x'",
    "SET check_function_bodies = off; SET row_security = off; SET xmloption = content; SET client_min_messages = error; SET default_tablespace = ''",
    "RESET search_path; RESET ROLE; RESET SESSION AUTHORIZATION; RESET work_mem",
];

/// What an application may have set before it hands its connection over.
const APPLICATIONS: [&str; 2] = [
    "SELECT 1",
    "SET app.tenant = 'acme'; SET search_path = public, pg_temp; SET statement_timeout = '12345s'; \
     SET application_name = 'it''s \\'; SET work_mem = '7MB'; SET lock_timeout = '9s'; \
     SET default_transaction_isolation = 'repeatable read'; SET ROLE owner",
];

/// A connection as an application has it, in a database with what [`SETS`] speak of.
///
/// `public.check_session()` fails in a session that differs from the one that made it.
async fn connected(application: &str) -> (TestDatabase, Client) {
    let database = TestDatabase::new();
    let create = |role: &str| {
        let raced = "duplicate_object OR unique_violation";
        format!("DO $$ BEGIN CREATE ROLE {role}; EXCEPTION WHEN {raced} THEN END $$; ")
    };
    database
        .run(&format!("{}{}CREATE SCHEMA elsewhere", create("other"), create("owner SUPERUSER")))
        .await;
    let client = database.client().await;
    client.batch_execute(application).await.unwrap();
    client
        .batch_execute(
            "CREATE FUNCTION public.session() RETURNS text LANGUAGE sql AS $$ SELECT format('%s %s %s %s %s %s %s', \
                session_user, current_user, current_setting('search_path'), current_setting('app.tenant', true), \
                current_setting('datestyle'), current_setting('work_mem'), current_setting('transaction_isolation')) $$; \
             CREATE TABLE public.expected AS SELECT public.session() AS session; \
             CREATE FUNCTION public.check_session() RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
                 IF public.session() <> (SELECT session FROM public.expected) THEN \
                     RAISE EXCEPTION 'found %', public.session(); \
                 END IF; END $$",
        )
        .await
        .unwrap();
    (database, client)
}

/// All a session knows of itself: every setting with where it comes from, user, role, and one
/// parameter that no library has declared.
async fn session(client: &Client) -> Vec<String> {
    let question = "SELECT format('%s = %s (%s)', name, setting, source) FROM pg_settings \
         WHERE name NOT LIKE 'transaction%' AND name NOT LIKE 'plpgsql.%' \
         UNION ALL SELECT format('user %s %s %s', session_user, current_user, current_setting('role')) \
         UNION ALL SELECT format('tenant %s', current_setting('app.tenant', true)) ORDER BY 1";
    client.query(question, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn same(before: &[String], after: &[String], title: &str) {
    let lost = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let come = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    let difference: Vec<_> = lost.chain(come).collect();
    assert!(difference.is_empty(), "{title}: {difference:#?}");
}

/// Each of [`SETS`] as a migration, and behind each one that looks whether it notices anything.
async fn passes_on_nothing(directive: &str) {
    let mut files = Vec::new();
    for (index, set) in SETS.iter().enumerate() {
        let n = index * 2 + 1;
        files.push((format!("{n:03}_set.sql"), format!("{directive}{set};\nSELECT 2;\n")));
        files
            .push((format!("{:03}_check.sql", n + 1), "SELECT public.check_session();".to_owned()));
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let migrations = registry(&files);
    for application in APPLICATIONS {
        let (database, mut client) = connected(application).await;
        let before = session(&client).await;
        let result = Migrator::new(&migrations).apply(&mut client).await;
        let report = result.unwrap_or_else(|error| panic!("{application}: {error:#}"));
        assert_eq!(report.done().len(), SETS.len() * 2);
        same(&before, &session(&client).await, application);
        let tables = "SELECT schemaname::text FROM pg_tables WHERE tablename = 'migrations'";
        assert_eq!(database.texts(tables).await, ["public"]);
    }
}

#[tokio::test]
async fn of_migrations_in_a_transaction() {
    passes_on_nothing("").await;
}

#[tokio::test]
async fn of_migrations_without_a_transaction() {
    passes_on_nothing("-- dunlin: no-transaction\n").await;
}

#[tokio::test]
async fn of_migrations_that_fail() {
    for application in APPLICATIONS {
        let (_database, mut client) = connected(application).await;
        let before = session(&client).await;
        for (index, set) in SETS.iter().enumerate() {
            for (kind, directive) in [("a", ""), ("b", "-- dunlin: no-transaction\n")] {
                let text = format!("{directive}{set};\nSELECT 1/0;\n");
                let migrations = registry(&[("1_a.sql", &text)]);
                let migrator = Migrator::new(&migrations).history_table(format!("{kind}{index}"));
                let error = migrator.apply(&mut client).await.unwrap_err();
                assert_eq!(error.code().unwrap().code(), "22012", "{error:#}");
                same(&before, &session(&client).await, &format!("{application}, {text}"));
            }
        }
    }
}

#[tokio::test]
async fn of_migrations_in_rust_and_of_undos() {
    let set = "SET search_path = elsewhere; SET statement_timeout = 60000; SET ROLE other";
    let migrations = registry_with(
        &[
            ("2_b.sql", "SELECT public.check_session();"),
            (
                "2_b.down.sql",
                "-- dunlin: no-transaction\nSET ROLE other; SET search_path = elsewhere;",
            ),
        ],
        &[Functions {
            name: "1_a",
            up: |cx| {
                Box::pin(async {
                    cx.batch_execute(
                        "SET search_path = elsewhere; SET ROLE other; SET work_mem = '1MB'",
                    )
                    .await
                })
            },
            down: Some(|cx| {
                Box::pin(async {
                    cx.batch_execute("SELECT public.check_session()").await?;
                    cx.batch_execute("SET SESSION AUTHORIZATION other; SET work_mem = '1MB'").await
                })
            }),
        }],
    );
    for application in APPLICATIONS {
        let (database, mut client) = connected(application).await;
        let before = session(&client).await;
        let report = Migrator::new(&migrations).apply(&mut client).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
        same(&before, &session(&client).await, set);
        let report = Migrator::new(&migrations).roll_back(&mut client, 2).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
        same(&before, &session(&client).await, set);
        assert_eq!(database.number("SELECT count(*) FROM migrations").await, 0);
    }
}

#[tokio::test]
async fn a_pooled_connection_is_as_its_hooks_have_made_it() {
    let (database, _client) = connected("SELECT 1").await;
    let pool = dunlin_tests::pool_of(1, &database.connection_string());
    let mut object = pool.get().await.unwrap();
    object.batch_execute(APPLICATIONS[1]).await.unwrap();
    let before = session(&object).await;
    let files: Vec<_> = (1..).zip(SETS).map(|(n, set)| (format!("{n:03}_a.sql"), set)).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let first = registry(&files[..9]);
    let _report = Migrator::new(&first).apply(&mut object).await.unwrap();
    same(&before, &session(&object).await, "the object");
    drop(object);
    // The pool lends the same connection to the run, and to whoever comes next.
    let _report = Migrator::new(&registry(&files)).apply(&pool).await.unwrap();
    same(&before, &session(&pool.get().await.unwrap()).await, "the pool");
}

#[tokio::test]
async fn settings_are_asked_about_only_where_they_may_have_changed() {
    let database = TestDatabase::new();
    let proxy = Proxy::start(&database.connection_string()).await;
    let mut client = dunlin_tests::connect(proxy.connection_string()).await;
    // Each in a run of its own, and how many messages it takes beyond those of a run.
    let mut n_queries = Vec::new();
    for (name, text) in [
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "INSERT INTO a VALUES (1);"),
        ("3_c.sql", "SET search_path = public;"),
        ("4_d.sql", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SET search_path = public';"),
        ("5_e.sql", "INSERT INTO a VALUES (2);"),
    ] {
        let migrations = registry(&[(name, text)]);
        let _traffic = proxy.take();
        let migrator = Migrator::new(&migrations).history_table(name);
        let _report = migrator.apply(&mut client).await.unwrap();
        n_queries.push(proxy.take().kinds(Side::Client).len());
    }
    let plain = n_queries[0];
    // One that has set something takes a second one at the end of the run, so that the server forgets.
    assert_eq!(n_queries, [plain, plain, plain + 2, plain + 1, plain + 1]);
}

#[tokio::test]
async fn an_isolation_level_of_an_earlier_transaction_is_no_setting() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    client
        .batch_execute(
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; COMMIT; \
             SET default_transaction_isolation = 'serializable'",
        )
        .await
        .unwrap();
    let migrations = registry(&[("1_a.sql", "SELECT 1;"), ("2_b.sql", "CREATE TABLE b (id int);")]);
    let report = Migrator::new(&migrations).apply(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
}

#[tokio::test]
async fn strings_mean_what_they_meant_in_the_build() {
    let database = TestDatabase::new();
    let there =
        format!("{} options='-c standard_conforming_strings=off'", database.connection_string());
    let mut client = dunlin_tests::connect(&there).await;
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a AS SELECT '\\' AS s; -- '\n")]);
    let report = Migrator::new(&migrations).apply(&mut client).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 1);
    assert_eq!(database.texts("SELECT s FROM a").await, ["\\"]);
    let row = client.query_one("SHOW standard_conforming_strings", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "off");
}

/// The file is UTF-8, whatever the application talks and the database keeps.
#[tokio::test]
async fn letters_mean_what_they_meant_in_the_build() {
    let migrations = registry(&[("1_a.sql", "CREATE TABLE a AS SELECT 'grün' AS s;\n")]);
    for (encoding, bytes) in
        [("UTF8", "6772c3bc6e"), ("LATIN1", "6772fc6e"), ("SQL_ASCII", "6772c3bc6e")]
    {
        let server = TestDatabase::new();
        let name = format!("{}_other", server.texts("SELECT current_database()::text").await[0]);
        // The template's own may know no encoding but UTF-8.
        let provider = match dunlin_tests::server().major_version() {
            15.. => "LOCALE_PROVIDER libc",
            _ => "",
        };
        let create = format!("TEMPLATE template0 {provider} LC_COLLATE 'C' LC_CTYPE 'C'");
        server.run(&format!("CREATE DATABASE {name} ENCODING '{encoding}' {create}")).await;
        let there = server.connection_string();
        let there = format!("{} dbname={name}", there.split_once(" dbname=").unwrap().0);
        let mut client = dunlin_tests::connect(&there).await;
        client.batch_execute("SET client_encoding = 'LATIN1'").await.unwrap();
        let report = Migrator::new(&migrations).apply(&mut client).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 1);
        assert!(Migrator::new(&migrations).apply(&mut client).await.unwrap().is_noop());
        let question = "SELECT concat_ws(' ', encode(s::bytea, 'hex'), up_text LIKE '%''' || s || '''%', \
             current_setting('client_encoding')) FROM a, migrations";
        let found: String = client.query_one(question, &[]).await.unwrap().get(0);
        assert_eq!(found, format!("{bytes} t LATIN1"));
        drop(client);
        server.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}

/// A machine that has gone does not keep the lock until its last statement ends.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_looks_whether_we_are_still_there() {
    let server = dunlin_sandbox::Server::builder().setting("listen_addresses", "127.0.0.1");
    let server = server.start().unwrap();
    let direct = dunlin_tests::connect(&server.connection_string("postgres")).await;
    direct.batch_execute("ALTER ROLE postgres PASSWORD 'secret'").await.unwrap();
    let seen = "SELECT concat(name, ' ', setting) AS it FROM pg_settings \
         WHERE name LIKE 'tcp_keepalives%' OR name = 'client_connection_check_interval' ORDER BY 1";
    let migrations = registry(&[("1_a.sql", &format!("CREATE TABLE seen AS {seen};"))]);
    let there = format!(
        "host=127.0.0.1 port={} user=postgres password=secret dbname=postgres",
        server.port()
    );
    let mut client = dunlin_tests::connect(&there).await;
    let before = session(&client).await;
    let recorder = Recorder::default();
    let migrator = Migrator::new(&migrations).observer(recorder.clone());
    let _report = migrator.apply(&mut client).await.unwrap();
    same(&before, &session(&client).await, "over TCP");
    let seen: Vec<String> = client
        .query("SELECT it FROM seen", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        seen,
        [
            "client_connection_check_interval 2000",
            "tcp_keepalives_count 3",
            "tcp_keepalives_idle 10",
            "tcp_keepalives_interval 5"
        ]
    );
    assert!(!recorder.text().contains("left something"), "{}", recorder.text());
    // What the log says of a client that comes over a network.
    let host: String =
        client.query_one("SELECT host FROM migrations_log", &[]).await.unwrap().get(0);
    assert!(host.starts_with("127."), "{host}");
}

#[tokio::test]
async fn a_migration_may_choose_its_isolation_level() {
    let level = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE IF NOT EXISTS";
    let migrations = registry(&[
        ("1_a.sql", "CREATE TABLE a AS SELECT current_setting('transaction_isolation') AS level;"),
        (
            "2_b.sql",
            &format!("{level} b AS SELECT current_setting('transaction_isolation') AS level;"),
        ),
        (
            "3_c.sql",
            &format!("{level} c AS SELECT current_setting('transaction_isolation') AS level;"),
        ),
        ("4_d.sql", "CREATE TABLE d AS SELECT current_setting('transaction_isolation') AS level;"),
    ]);
    let database = TestDatabase::new();
    let report = Migrator::new(&migrations).apply(database.pool()).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 4);
    let levels = "SELECT a.level FROM a UNION ALL TABLE b UNION ALL TABLE c UNION ALL TABLE d";
    let expected = ["read committed", "serializable", "serializable", "read committed"];
    assert_eq!(database.texts(levels).await, expected);
}

#[tokio::test]
async fn a_migration_may_take_a_role_that_sees_more() {
    let database = TestDatabase::new();
    let role = format!("{}_role", database.texts("SELECT current_database()::text").await[0]);
    database
        .run(&format!(
            "CREATE ROLE {role} LOGIN; CREATE ROLE {role}_owner ROLE {role}; CREATE SCHEMA app AUTHORIZATION {role}_owner; \
             ALTER ROLE {role} NOINHERIT; CREATE SCHEMA own AUTHORIZATION {role}"
        ))
        .await;
    let migrations = registry(&[
        ("1_a.sql", &format!("SET ROLE {role}_owner; CREATE TABLE IF NOT EXISTS app.a (id int);")),
        ("2_b.sql", &format!("SET ROLE {role}_owner; ALTER TABLE app.a ADD COLUMN b int;")),
    ]);
    let there = database.connection_string().replace("user=postgres", &format!("user={role}"));
    let migrator = Migrator::new(&migrations).history_schema("own");
    let result = migrator.apply(&dunlin_tests::pool(&there)).await;
    database
        .run(&format!(
            "DROP OWNED BY {role}, {role}_owner CASCADE; DROP ROLE {role}_owner; DROP ROLE {role}"
        ))
        .await;
    assert_eq!(result.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
}
