//! What a session owns besides its settings.

use dunlin::Migrator;
use dunlin_tests::{Functions, Recorder, registry, registry_with};
use tokio_postgres::Client;

use super::connected;

/// What a session owns besides its settings.
async fn belongings(client: &Client) -> Vec<String> {
    let question = "SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() \
         AND relkind IN ('r', 'v', 'S') \
         UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements WHERE from_sql \
         UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE is_holdable \
         UNION ALL SELECT 'channel ' || it FROM pg_listening_channels() AS it ORDER BY 1";
    client.query(question, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn what_lives_as_long_as_the_session_ends_with_its_migration() {
    // Each would meet what the one before has left.
    const LEAVE: &str = "CREATE TEMP TABLE items (id serial); CREATE TEMP VIEW seen AS SELECT * FROM items; \
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
