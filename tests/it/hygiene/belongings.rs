//! What a session owns besides its settings.

use dunlin::Migrator;
use dunlin_tests::{Functions, Recorder, TestDatabase, registry, registry_with};
use tokio_postgres::Client;

use super::connected;

/// What a session owns besides its settings.
async fn belongings(client: &Client) -> Vec<String> {
    let question = "SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() \
         AND relkind IN ('r', 'v', 'S', 'c') \
         UNION ALL SELECT concat_ws(' ', 'lock', mode, classid, objid, objsubid) FROM pg_locks \
         WHERE locktype = 'advisory' AND pid = pg_backend_pid() \
         UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements WHERE from_sql \
         UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable \
         UNION ALL SELECT 'channel ' || it FROM pg_listening_channels() AS it ORDER BY 1";
    client.query(question, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_lives_as_long_as_the_session_ends_with_its_migration() {
    // Each would meet what the one before has left.
    const LEAVE: &str = "CREATE TEMP TABLE items (id serial); CREATE TYPE pg_temp.pair AS (a int, b int); CREATE TEMP VIEW seen AS SELECT * FROM items; \
         PREPARE ask AS SELECT 1; LISTEN news; DECLARE held CURSOR WITH HOLD FOR SELECT 1;";
    let in_code = format!("DO $$ BEGIN {} END $$;", &LEAVE[..LEAVE.find("PREPARE").unwrap()]);
    let plain = format!(
        "-- dunlin: no-transaction\n{}",
        LEAVE.replace("DECLARE held CURSOR WITH HOLD FOR SELECT 1;", "")
    );
    let migrations = registry_with(
        &[
            ("1_a.sql", LEAVE),
            ("2_b.sql", LEAVE),
            ("3_c.sql", &in_code),
            ("4_d.sql", &plain),
            (
                "6_f.sql",
                &format!(
                    "CREATE FUNCTION keep() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN {} END $f$;",
                    &LEAVE[..=LEAVE.find(';').unwrap()]
                ),
            ),
            ("7_g.sql", "SELECT keep();"),
            ("8_h.sql", "SELECT keep();"),
        ],
        &[Functions {
            name: "5_e",
            up: |cx| Box::pin(async { cx.batch_execute(LEAVE).await }),
            down: None,
        }],
    );
    let (database, mut client) =
        connected("CREATE TEMP TABLE mine (id int); PREPARE mine AS SELECT 1; LISTEN mine").await;
    let statement = client.prepare("SELECT 7").await.unwrap();
    let before = belongings(&client).await;
    assert_eq!(before, ["channel mine", "prepared mine", "temporary mine"]);
    let recorder = Recorder::default();
    let result = Migrator::new(&migrations).observer(recorder.clone()).apply(&mut client).await;
    assert_eq!(result.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 8);
    assert_eq!(belongings(&client).await, before);
    assert_eq!(client.query_one(&statement, &[]).await.unwrap().get::<_, i32>(0), 7);
    let told = recorder.lines().iter().filter(|line| line.contains("left something")).count();
    assert_eq!(told, 7, "{}", recorder.text());

    // A migration that fails takes back only what is part of its transaction.
    let failing = registry(&[("9_i.sql", "PREPARE ask AS SELECT 1; SELECT 1/0;")]);
    let _error =
        Migrator::new(&failing).history_table("other").apply(&mut client).await.unwrap_err();
    assert_eq!(belongings(&client).await, before);
    assert_eq!(database.number("SELECT count(*) FROM migrations").await, 8);
}

/// The application would wait for ever, and the migration behind it as well.
#[tokio::test]
async fn locks_that_a_migration_takes_for_the_session_end_with_it() {
    const TAKE: &str = "SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock_shared(-8); \
         SELECT pg_try_advisory_lock(-1, 2), pg_try_advisory_lock_shared(3, 4), pg_advisory_xact_lock(5);";
    let taken =
        "advisory lock -1, 2, advisory lock 7, shared advisory lock -8, shared advisory lock 3, 4";
    let in_code = format!("DO $$ BEGIN {} END $$;", TAKE.replace("SELECT", "PERFORM"));
    let plain = format!("-- dunlin: no-transaction\n{TAKE}");
    let created =
        "CREATE FUNCTION takes() RETURNS void BEGIN ATOMIC SELECT pg_advisory_lock(9); END;";
    let (database, mut client) =
        connected("SELECT pg_advisory_lock(1), pg_advisory_lock_shared(2, 2)").await;
    let before = belongings(&client).await;
    assert_eq!(before.len(), 2);
    // Each takes one lock twice.
    for (n, text) in [TAKE, &in_code, &plain].into_iter().enumerate() {
        let name = format!("{n}_takes.sql");
        let other = database.client().await;
        let recorder = Recorder::default();
        let told = recorder.clone();
        // The next migration finds nobody in its way.
        let migrations = registry(&[
            (&name, text),
            (
                "7_found.sql",
                "DO $$ BEGIN ASSERT 3 = (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()); END $$;",
            ),
        ]);
        let table = format!("history{n}");
        let migrator = Migrator::new(&migrations).history_table(table).observer(told);
        let report = migrator.apply(&mut client).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{text}: {error:#}")).done().len(), 2);
        assert_eq!(belongings(&client).await, before, "{text}");
        let said = recorder.text();
        assert!(said.contains(taken), "{said}");
        let free = "SELECT count(*) FROM (VALUES (7), (-8), (9)) AS it (key) WHERE pg_try_advisory_lock(key)";
        assert_eq!(other.query_one(free, &[]).await.unwrap().get::<_, i64>(0), 3, "{text}");
    }
    let migrations = registry(&[("1_a.sql", created), ("2_b.sql", "SELECT takes();")]);
    let _report = Migrator::new(&migrations).apply(&mut client).await.unwrap();
    assert_eq!(belongings(&client).await, before);
    // A run that fails gives back what it took as well.
    let failing = registry(&[("1_a.sql", "SELECT pg_advisory_lock(7); SELECT 1/0;")]);
    let failed = Migrator::new(&failing).history_table("failing").apply(&mut client).await;
    assert!(failed.is_err());
    assert_eq!(belongings(&client).await, before);
}

#[tokio::test]
async fn what_was_cleaned_up_is_told() {
    let migrations = registry(&[
        ("1_a.sql", "SET search_path = elsewhere, public; SET ROLE other;"),
        ("2_b.sql", "SET LOCAL lock_timeout = '1s'; CREATE TEMP TABLE items (id int);"),
        ("3_c.sql", "CREATE TABLE public.c (id int);"),
    ]);
    let (_database, mut client) = connected("SELECT 1").await;
    let recorder = Recorder::default();
    let result = Migrator::new(&migrations).observer(recorder.clone()).apply(&mut client).await;
    let _report = result.unwrap_or_else(|error| panic!("{error:#}"));
    let lines = recorder.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("left something")).collect();
    assert_eq!(
        told,
        [
            "   ⚠️  It left something in the session, which was cleaned up: role, search_path",
            "   ⚠️  It left something in the session, which was cleaned up: lock_timeout",
            "   ⚠️  It left something in the session, which was cleaned up: temporary table items",
        ]
    );
}

/// The name of a column hides that of the function it came from; only its number is left.
#[tokio::test]
async fn what_a_parsed_body_in_the_database_does_is_known() {
    let database = TestDatabase::new();
    database
        .run(
            "CREATE SCHEMA elsewhere; \
             CREATE FUNCTION sets() RETURNS text BEGIN ATOMIC SELECT set_config('search_path', 'elsewhere', false) AS done; END; \
             CREATE FUNCTION takes() RETURNS void BEGIN ATOMIC SELECT pg_advisory_lock(9) AS done; END",
        )
        .await;
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 9";
    let migrations = registry(&[
        ("1_a.sql", "SELECT public.sets();"),
        ("2_b.sql", "CREATE TABLE here (id int);"),
        ("3_c.sql", "SELECT public.takes();"),
        ("4_d.sql", &format!("CREATE TABLE n AS {locks};")),
    ]);
    let mut client = database.client().await;
    let result = Migrator::new(&migrations).apply(&mut client).await;
    assert_eq!(result.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 4);
    let tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename = 'here'";
    assert_eq!(database.texts(tables).await, ["public.here"]);
    assert_eq!(database.number("SELECT count FROM n").await, 0);
}
