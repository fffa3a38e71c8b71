//! What an interrupted statement has left decides how a run goes on.

use dunlin::{Error, ErrorKind, Migrator, Registry};
use dunlin_tests::{Recorder, TestDatabase, registry, rendered};

const TABLE: &str = "CREATE TABLE t (id int, name text); INSERT INTO t VALUES (1, 'a'), (2, 'b')";

/// A migration of statements.
fn file(text: &str) -> Registry {
    registry(&[("1_x.sql", &format!("-- dunlin: no-transaction\n{text};\n"))])
}

/// A database in which the first run of a file was cut off in the statement of this number, and left
/// what `left` makes.
async fn cut_off(text: &str, number: usize, left: &str) -> (TestDatabase, Registry) {
    let database = TestDatabase::new();
    database.run(TABLE).await;
    let registry = file(text);
    // A run makes the row, and what it has done is undone.
    let _report = Migrator::new(&registry).apply(database.pool()).await.unwrap();
    database.run(&format!("DROP TABLE t; {TABLE}")).await;
    database
        .run(&format!(
            "UPDATE migrations SET statements_done = {number} - 1, statements_begun = {number}"
        ))
        .await;
    if !left.is_empty() {
        database.run(left).await;
    }
    (database, registry)
}

async fn goes_on(database: &TestDatabase, registry: &Registry) -> String {
    let recorder = Recorder::default();
    let migrator = Migrator::new(registry).observer(recorder.clone());
    let report = migrator.apply(database.pool()).await.unwrap_or_else(|error| panic!("{error:#}"));
    assert_eq!(report.done().len(), 1);
    assert!(Migrator::new(registry).apply(database.pool()).await.unwrap().is_noop());
    recorder.text()
}

async fn refuses(database: &TestDatabase, registry: &Registry) -> Error {
    let error = Migrator::new(registry).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.migration()), (ErrorKind::Migration, Some("1_x")));
    error
}

/// The names of the indexes, with `!` behind those that are invalid.
async fn indexes(database: &TestDatabase) -> Vec<String> {
    database
        .texts(
            "SELECT relname || CASE WHEN indisvalid THEN '' ELSE '!' END FROM pg_index \
             JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = 't'::regclass ORDER BY 1",
        )
        .await
}

/// The session that made it is gone, and with it what was in it.
#[tokio::test]
async fn what_finished_statements_made_for_their_session_is_missed() {
    let text = "CREATE TEMP TABLE chosen AS SELECT 2 AS id;\nCREATE INDEX CONCURRENTLY i ON t (id);\n\
                DELETE FROM t USING chosen WHERE t.id = chosen.id";
    let (database, registry) = cut_off(text, 2, "").await;
    let error = refuses(&database, &registry).await;
    let said = rendered(&error);
    for part in [
        "relation \"chosen\" does not exist",
        "statement 1 was run in an earlier session, and what it made for its length, such as a temporary table, is gone",
        "make it again in front of this statement",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // The advice holds.
    let again = "CREATE TEMP TABLE chosen AS SELECT 2 AS id;\nDELETE";
    let mended = file(&text.replacen("DELETE", again, 1));
    let _said = goes_on(&database, &mended).await;
    assert_eq!(database.texts("SELECT name FROM t").await, ["a"]);

    // Settings are made again, and of what is left nothing is said.
    let text =
        "SET search_path = elsewhere, public;\nCREATE INDEX CONCURRENTLY i ON t (id);\nSELECT 1/0";
    let (database, registry) = {
        let database = TestDatabase::new();
        database.run(TABLE).await;
        (database, file(text))
    };
    let _first = refuses(&database, &registry).await;
    let said = rendered(&refuses(&database, &registry).await);
    assert!(said.contains("division by zero") && !said.contains("temporary"), "{said}");
}

const INVALID: &str = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = ";

#[tokio::test]
async fn a_valid_index_of_the_same_definition_is_accepted() {
    for (statement, left) in [
        (
            "CREATE INDEX CONCURRENTLY i ON t (id)",
            "CREATE INDEX i ON t USING btree (id ASC NULLS LAST)",
        ),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t (lower(name) text_pattern_ops, (t.id + 1)) INCLUDE (name) WITH (fillfactor = 70) WHERE id>5",
            "CREATE UNIQUE INDEX i ON t (lower(name) text_pattern_ops, (id + 1)) INCLUDE (name) WITH (fillfactor = 70) WHERE (id > 5)",
        ),
        ("CREATE INDEX CONCURRENTLY ON t (name, id)", "CREATE INDEX other ON t (name, id)"),
        (
            "CREATE INDEX CONCURRENTLY \"I x\" ON ONLY t USING hash (id)",
            "CREATE INDEX \"I x\" ON t USING hash (id)",
        ),
    ] {
        let (database, registry) = cut_off(statement, 1, left).await;
        let before =
            database.texts("SELECT max(oid)::text FROM pg_class WHERE relkind = 'i'").await;
        let _said = goes_on(&database, &registry).await;
        let after = database.texts("SELECT max(oid)::text FROM pg_class WHERE relkind = 'i'").await;
        assert_eq!(before, after, "{statement}");
        assert_eq!(indexes(&database).await.len(), 1, "{statement}");
    }
}

#[tokio::test]
async fn a_valid_index_of_another_definition_is_an_error_with_two_ways_on() {
    let statement = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)";
    let (database, registry) = cut_off(statement, 1, "CREATE UNIQUE INDEX i ON t (id DESC)").await;
    assert_eq!(
        rendered(&refuses(&database, &registry).await),
        "\
migration `1_x` was cut off in statement 1 of 1
 --> migrations/1_x.sql:2:1
  |
2 | CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id);
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement
  |
  = note: none of its 1 statement(s) is done
  = note: a valid index of that name is there, with another definition
  = note: it is UNIQUE btree (id DESC)
  = note: the statement makes btree (id)
  = note: nothing was changed by this run
  = help: look. If it took effect: UPDATE \"public\".\"migrations\" SET statements_done = 1 WHERE name = E'1_x';
  = help: if it did not: UPDATE \"public\".\"migrations\" SET statements_begun = 0 WHERE name = E'1_x'; then start again"
    );
    for other in ["(id) WHERE id > 0", "(name)", "(id) WITH (fillfactor = 50)", "USING hash (id)"] {
        database.run(&format!("DROP INDEX i; CREATE INDEX i ON t {other}")).await;
        let _error = refuses(&database, &registry).await;
    }
    database.run("DROP INDEX i").await;
    let _said = goes_on(&database, &registry).await;
    assert_eq!(indexes(&database).await, ["i"]);
}

#[tokio::test]
async fn an_invalid_index_is_dropped_and_built_again() {
    for (statement, name) in [
        ("CREATE INDEX CONCURRENTLY i ON t (id)", "i"),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)", "i"),
        ("CREATE INDEX CONCURRENTLY ON t (id)", "t_id_idx"),
    ] {
        let left = format!("CREATE INDEX {name} ON t (id); {INVALID} '{name}'::regclass");
        let (database, registry) = cut_off(statement, 1, &left).await;
        let said = goes_on(&database, &registry).await;
        let told = format!("Dropped the invalid index \"public\".\"{name}\"");
        assert!(said.contains(&told), "{said}");
        assert_eq!(indexes(&database).await, [name]);
    }
}

#[tokio::test]
async fn an_invalid_index_of_somebody_else_is_left_alone() {
    let left = format!("CREATE INDEX other ON t (name); {INVALID} 'other'::regclass");
    let (database, registry) = cut_off("CREATE INDEX CONCURRENTLY ON t (id)", 1, &left).await;
    let _said = goes_on(&database, &registry).await;
    assert_eq!(indexes(&database).await, ["other!", "t_id_idx"]);
}

#[tokio::test]
async fn nothing_is_there_and_the_index_is_built() {
    for statement in
        ["CREATE INDEX CONCURRENTLY i ON t (id)", "CREATE INDEX CONCURRENTLY ON t (id)"]
    {
        let (database, registry) = cut_off(statement, 1, "").await;
        let _said = goes_on(&database, &registry).await;
        assert_eq!(indexes(&database).await.len(), 1);
    }
}

#[tokio::test]
async fn a_dropped_index_a_new_value_and_a_validated_constraint_are_seen() {
    let text = "CREATE INDEX IF NOT EXISTS i ON t (id); DROP INDEX CONCURRENTLY i";
    let (database, registry) = cut_off(text, 2, "").await;
    let _said = goes_on(&database, &registry).await;
    let (database, registry) = cut_off(text, 2, "CREATE INDEX i ON t (id)").await;
    let _said = goes_on(&database, &registry).await;
    assert_eq!(indexes(&database).await, [""; 0]);

    let text = "CREATE TYPE mood AS ENUM ('ok'); ALTER TYPE mood ADD VALUE 'sad'";
    for left in ["", "DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok')"] {
        let (database, registry) = cut_off(text, 2, left).await;
        let _said = goes_on(&database, &registry).await;
        let values = "SELECT enumlabel::text FROM pg_enum ORDER BY enumsortorder";
        assert_eq!(database.texts(values).await, ["ok", "sad"]);
    }

    let text = "ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT positive";
    let left = "ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID";
    let (database, registry) = cut_off(text, 2, left).await;
    let _said = goes_on(&database, &registry).await;
    assert_eq!(
        database
            .number(
                "SELECT count(*) FROM pg_constraint WHERE convalidated AND conname = 'positive'"
            )
            .await,
        1
    );
}

#[tokio::test]
async fn what_reindex_concurrently_has_left_is_found_and_dropped() {
    for statement in [
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX TABLE CONCURRENTLY public.t",
        "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
        "REINDEX SCHEMA CONCURRENTLY public",
    ] {
        let left = format!(
            "CREATE INDEX i ON t (id); CREATE INDEX i_ccnew ON t (id); CREATE INDEX i_ccold1 ON t (id); \
             CREATE INDEX i_ccnew2 ON t (id); {INVALID} ANY ('{{i_ccnew,i_ccold1}}'::regclass[])"
        );
        let text = format!("CREATE INDEX i ON t (id); {statement}");
        let (database, registry) = cut_off(&text, 2, &left).await;
        let said = goes_on(&database, &registry).await;
        for name in ["i_ccnew", "i_ccold1"] {
            let told = format!("Dropped the invalid index \"public\".\"{name}\"");
            assert!(said.contains(&told), "{said}");
        }
        // A valid one is somebody's own.
        assert_eq!(indexes(&database).await, ["i", "i_ccnew2"], "{statement}");
    }
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_repeated() {
    let database = TestDatabase::new();
    database.run(TABLE).await;
    let call = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (3); COMMIT; END $$";
    database.run(call).await;
    for (statement, ends) in [
        ("CALL p()", true),
        ("DO $$ BEGIN INSERT INTO t VALUES (3); COMMIT; END $$", true),
        ("DO $$ BEGIN INSERT INTO t VALUES (3); END $$", false),
        ("INSERT INTO t VALUES (3)", false),
    ] {
        database.run("DROP TABLE IF EXISTS migrations; DELETE FROM t").await;
        let text = format!("{statement}; SELECT 1 / count(*) FROM t WHERE id = 4");
        let registry = file(&text);
        let _error = refuses(&database, &registry).await;
        // What was recorded together with its effect needs no mark that it is begun.
        let marks = "SELECT statements_begun::text FROM migrations";
        assert_eq!(database.texts(marks).await, ["1"], "{statement}");
        let begun = "UPDATE migrations SET statements_done = 0, statements_begun = 1";
        database.run(begun).await;
        let error = refuses(&database, &registry).await.to_string();
        assert_eq!(error, "migration `1_x` was cut off in statement 1 of 2", "{ends}");
        assert_eq!(database.number("SELECT count(*) FROM t").await, 1);
    }
}

/// The settings a session gets from the first statements are there for those behind them, also when
/// another session continues.
#[tokio::test]
async fn what_the_completed_statements_have_set_is_set_again() {
    let database = TestDatabase::new();
    database.run("CREATE SCHEMA app; CREATE TABLE app.t (id int)").await;
    let text = |last: &str| {
        file(&format!(
            "SET search_path = app; SELECT set_config('work_mem', '77MB', false); CREATE INDEX CONCURRENTLY i ON t (id); {last}"
        ))
    };
    let _error = refuses(&database, &text("SELECT 1 / 0")).await;
    let begun = "UPDATE migrations SET statements_done = 2, statements_begun = 3";
    database.run(begun).await;
    let last = "CREATE TABLE made AS SELECT current_setting('work_mem') AS it";
    let _said = goes_on(&database, &text(last)).await;
    assert_eq!(database.texts("SELECT it FROM app.made").await, ["77MB"]);
}

/// `IF NOT EXISTS` takes any index of that name for the one it would make.
#[tokio::test]
async fn no_way_of_creating_an_index_passes_over_an_invalid_one() {
    const CREATE: &str = "CREATE INDEX IF NOT EXISTS i ON public.t (id)";
    let files = |text: &'static str| registry(&[("1_x.sql", text), ("2_y.sql", "SELECT 1;")]);
    let left = format!("CREATE INDEX i ON t (id); {INVALID} 'i'::regclass");
    for (text, as_one) in [
        ("SELECT 1;\nCREATE INDEX IF NOT EXISTS i ON public.t (id);", false),
        ("SELECT 1;\nCREATE INDEX IF NOT EXISTS i ON public.t (id);", true),
        ("-- dunlin: no-transaction\nCREATE INDEX IF NOT EXISTS i ON public.t (id);", false),
        (
            "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t (id);",
            false,
        ),
    ] {
        let database = TestDatabase::new();
        database.run(TABLE).await;
        database.run(&left).await;
        let (recorder, migrations) = (Recorder::default(), files(text));
        let migrator =
            Migrator::new(&migrations).single_transaction(as_one).observer(recorder.clone());
        let report = migrator.apply(database.pool()).await;
        assert_eq!(report.unwrap_or_else(|error| panic!("{text}: {error:#}")).done().len(), 2);
        assert_eq!(indexes(&database).await, ["i"], "{text}");
        let said = recorder.text();
        assert!(said.contains("Dropped the invalid index \"public\".\"i\""), "{said}");
        assert_eq!(said.matches("Running: 1_x").count(), 1, "{said}");
        assert!(!said.contains("left something"), "{said}");
    }
    let database = TestDatabase::new();
    database.run(TABLE).await;
    database.run(&left).await;
    let in_rust = dunlin_tests::registry_with(
        &[],
        &[dunlin_tests::Functions {
            name: "1_x",
            up: |cx| Box::pin(async { cx.batch_execute(CREATE).await }),
            down: None,
        }],
    );
    let error = refuses(&database, &in_rust).await;
    assert_eq!(
        error.to_string(),
        "migration `1_x` failed: the index `i` is invalid, and IF NOT EXISTS would pass over it"
    );
    database.run("DROP INDEX i").await;
    assert_eq!(Migrator::new(&in_rust).apply(database.pool()).await.unwrap().done().len(), 1);
}

/// An index that somebody is building is invalid too.
#[tokio::test]
async fn an_index_that_somebody_is_building_is_waited_for() {
    let database = TestDatabase::new();
    database.run(TABLE).await;
    let writer = database.client().await;
    writer.batch_execute("BEGIN; INSERT INTO t VALUES (3)").await.unwrap();
    let builder = database.client().await;
    let building = tokio::spawn(async move {
        builder.batch_execute("CREATE INDEX CONCURRENTLY i ON t (id)").await.unwrap();
    });
    dunlin_tests::until("the build waits", async || indexes(&database).await == ["i!"]).await;
    let migrations = file("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)");
    let pool = database.pool().clone();
    let run = tokio::spawn(async move { Migrator::new(&migrations).apply(&pool).await });
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'ShareUpdateExclusiveLock' AND NOT granted";
    dunlin_tests::until("the run waits", async || database.number(waits).await == 1).await;
    let oid = "SELECT 'i'::regclass::oid::bigint";
    let before = database.number(oid).await;
    writer.batch_execute("COMMIT").await.unwrap();
    building.await.unwrap();
    assert_eq!(run.await.unwrap().unwrap().done().len(), 1);
    assert_eq!(indexes(&database).await, ["i"]);
    assert_eq!(database.number(oid).await, before);
}
