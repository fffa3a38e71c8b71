//! What has gone wrong with other tools, and is not tested elsewhere.
//!
//! | incident | tested in |
//! | --- | --- |
//! | two files of one version, a misnamed file, a huge version | `core/tests/folders` |
//! | a new or an edited file is not rebuilt | `projects` |
//! | concurrent cold starts crash, or deadlock with an index build | `concurrency` |
//! | a failed migration keeps the lock; a dead client does | `concurrency`, `pooler` |
//! | a start with nothing pending needs rights, a lock, or many questions | `history`, `concurrency` |
//! | a migration sets `search_path`, role, timeouts | `hygiene` |
//! | a role's timeouts kill long migrations; settings of a database | `hazards` |
//! | `COMMIT` inside a migration | `core/tests/folders`, `rust_migrations`, `meaning` |
//! | line ends and byte order marks change checksums | `drift`, here |
//! | edits, missing and late files, a history edited by hand | `drift`, `history` |
//! | an invalid index counts as built; leftovers of `REINDEX` | `evidence` |
//! | readers queue behind DDL; one try and no more | `locks` |
//! | half a file after a crash; `COMMIT` without an answer | `cuts`, `kills`, `reconnect`, `cancel` |
//! | a pooler in transaction mode | `pooler` |
//! | a standby, a failover | `standby` |
//! | a database that is ahead | `policy`, `history` |
//! | a copied database | `log` |
//! | a probe kills a service that migrates | `health` |
//! | a pool of one connection | `concurrency`, `watch` |
//! | a cancelled wait gets the lock later | `cancel` |

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{TestDatabase, registry};

/// Whoever applies what is pending before looking at the rest has changed a database that he then
/// refuses.
#[tokio::test]
async fn an_edit_behind_something_pending_is_found_first() {
    let database = TestDatabase::new();
    let (one, three) =
        (("1_a.sql", "CREATE TABLE a (id int);"), ("3_c.sql", "CREATE TABLE c (id int);"));
    let _report = Migrator::new(&registry(&[one, three])).apply(database.pool()).await.unwrap();
    let migrations = registry(&[
        one,
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("3_c.sql", "CREATE TABLE c (id bigint);"),
        ("4_d.sql", "CREATE TABLE d (id int);"),
    ]);
    let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.drift()[0].name()), (ErrorKind::Drift, "3_c"));
    assert_eq!(database.applied().await, ["1_a", "3_c"]);
    let new = "SELECT count(*) FROM pg_class WHERE relname IN ('b', 'd')";
    assert_eq!(database.number(new).await, 0);
}

#[tokio::test]
async fn a_directive_is_obeyed_behind_a_mark_and_before_a_carriage_return() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("1_a.sql", "\u{feff}CREATE TABLE a (id int);\r\n"),
        (
            "2_b.sql",
            "\u{feff}-- dunlin: no-transaction\r\n\r\nCREATE INDEX CONCURRENTLY b ON a (id);\r\n",
        ),
    ]);
    let report = Migrator::new(&migrations).apply(database.pool()).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 2);
}

/// Each file is its own transaction, although they travel together.
#[tokio::test]
async fn a_new_value_of_an_enum_is_used_by_the_next_file() {
    let database = TestDatabase::new();
    let migrations = registry(&[
        ("1_mood.sql", "CREATE TYPE mood AS ENUM ('ok');\nCREATE TABLE people (mood mood);"),
        ("2_sad.sql", "ALTER TYPE mood ADD VALUE 'sad';"),
        (
            "3_use.sql",
            "ALTER TABLE people ALTER mood SET DEFAULT 'sad';\nINSERT INTO people DEFAULT VALUES;",
        ),
    ]);
    let report = Migrator::new(&migrations).apply(database.pool()).await;
    assert_eq!(report.unwrap_or_else(|error| panic!("{error:#}")).done().len(), 3);
    assert_eq!(database.texts("SELECT mood::text FROM people").await, ["sad"]);
}

/// A lock that waits for its turn holds a snapshot, and so does a holder that has a transaction open;
/// either would be waited for by the build.
#[tokio::test]
async fn a_run_holds_no_snapshot_while_an_index_is_built_for_it() {
    let database = TestDatabase::new();
    database.run("CREATE TABLE t (id int)").await;
    let migrations = registry(&[(
        "1_a.sql",
        "-- dunlin: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);",
    )]);
    let writer = database.client().await;
    writer.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    let through = |name: &str| {
        dunlin_tests::pool_of(
            2,
            &format!("{} application_name={name}", database.connection_string()),
        )
    };
    let (holder, waiter) = (through("starter1"), through("starter2"));
    let runs = [holder, waiter].map(|pool| {
        tokio::spawn(async move { Migrator::new(&migrations).apply(&pool).await.unwrap() })
    });
    // The build and its holder are one session; besides it nobody of ours has an open transaction.
    let building =
        "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()";
    dunlin_tests::until("the build waits", async || database.number(building).await == 1).await;
    let others = "SELECT count(*) FROM pg_stat_activity a WHERE application_name LIKE 'starter%' \
         AND datname = current_database() AND xact_start IS NOT NULL AND state <> 'active'";
    for _ in 0..20 {
        assert_eq!(database.number(others).await, 0);
    }
    writer.batch_execute("COMMIT").await.unwrap();
    let mut n_done = 0;
    for run in runs {
        n_done += run.await.unwrap().done().len();
    }
    assert_eq!(n_done, 1);
}
