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
//! | one file in the place of several runs again, or loses what they did | here |

use dunlin::{Drift, ErrorKind, Mark, Migrator, Registry};
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

const SQUASHED: [(&str, &str); 3] = [
    ("1_a.sql", "CREATE TABLE a (id int);"),
    ("2_b.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);"),
    ("3_i.sql", "CREATE INDEX i ON a (id);"),
];
const SQUASH: &str = "-- dunlin: breaking\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\n\
                      INSERT INTO b VALUES (1);\nCREATE INDEX i ON a (id);";
const NEXT: (&str, &str) = ("5_c.sql", "CREATE TABLE c (id int);");

/// A database with the first so many of what is replaced.
async fn before_the_squash(n: usize) -> TestDatabase {
    let database = TestDatabase::new();
    let old = registry(&SQUASHED[..n]);
    let _report = Migrator::new(&old).apply(database.pool()).await.unwrap();
    database
}

/// Nothing runs, and what was replaced is named.
async fn is_refused(migrations: &Registry, database: &TestDatabase, missing: &[&str]) -> String {
    let before = database.applied().await;
    let error = Migrator::new(migrations).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift, "{error:#}");
    assert!(error.drift().iter().all(|it| matches!(it, Drift::Missing { .. })), "{error:#}");
    let names: Vec<_> = error.drift().iter().map(Drift::name).collect();
    assert_eq!(names, missing);
    assert_eq!(database.applied().await, before);
    assert_eq!(database.number("SELECT count(*) FROM b").await, 1);
    format!("{error:#}")
}

#[tokio::test]
async fn a_file_that_replaces_several_is_recorded_in_their_place() {
    let migrations = registry(&[("4_all.sql", SQUASH), NEXT]);
    let migrator = Migrator::new(&migrations);
    let database = before_the_squash(3).await;
    let said = is_refused(&migrations, &database, &["1_a", "2_b", "3_i"]).await;
    let help = "`Migrator::mark` it as applied, and then each of them as pending";
    assert!(said.contains(help), "{said}");

    migrator.mark(database.pool(), "4_all", Mark::Applied).await.unwrap();
    for name in ["1_a", "2_b", "3_i"] {
        // Until all of it is said, nothing runs.
        assert!(migrator.apply(database.pool()).await.is_err());
        migrator.mark(database.pool(), name, Mark::Pending).await.unwrap();
    }
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done().iter().map(|it| it.name()).collect::<Vec<_>>(), ["5_c"]);
    assert_eq!(database.applied().await, ["4_all", "5_c"]);
    let _status = migrator.verify(database.pool()).await.unwrap();

    // A new database gets the same.
    let new = TestDatabase::new();
    assert_eq!(migrator.apply(new.pool()).await.unwrap().done().len(), 2);
    let schema = "SELECT concat_ws(' ', c.relkind, c.relname, a.attname, a.atttypid::regtype) FROM pg_class c \
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
                  WHERE relnamespace = 'public'::regnamespace ORDER BY 1";
    assert_eq!(database.texts(schema).await, new.texts(schema).await);

    // The release before it has all of its own pending, and must not run it again.
    let old = registry(&SQUASHED);
    for database in [database, new] {
        let error = Migrator::new(&old).apply(database.pool()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Drift, "{error:#}");
        assert_eq!(database.applied().await, ["4_all", "5_c"]);
    }
}

/// Under a version before theirs it looks as if a newer build had been there.
#[tokio::test]
async fn a_file_that_replaces_several_does_not_run_whatever_its_version() {
    let database = before_the_squash(3).await;
    for file in ["0_all.sql", "1_all.sql", "2_all.sql", "3_all.sql"] {
        let migrations = registry(&[(file, SQUASH)]);
        let _said = is_refused(&migrations, &database, &["1_a", "2_b", "3_i"]).await;
    }
}

/// A database that has not come so far lacks the rest; who brings it there first loses nothing.
#[tokio::test]
async fn a_database_from_before_what_is_replaced_is_brought_there_first() {
    let migrations = registry(&[("4_all.sql", SQUASH), NEXT]);
    let database = before_the_squash(2).await;
    let _said = is_refused(&migrations, &database, &["1_a", "2_b"]).await;
    let last_before = registry(&SQUASHED);
    let report = Migrator::new(&last_before).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 1);
    let _said = is_refused(&migrations, &database, &["1_a", "2_b", "3_i"]).await;
}

/// Where something older than what is replaced stays, the mark keeps the release before from running.
#[tokio::test]
async fn a_replacement_that_is_breaking_keeps_older_builds_away() {
    let init = ("0_init.sql", "CREATE TABLE init (id int);");
    let old = registry(&[&[init], SQUASHED.as_slice()].concat());
    let new = registry(&[init, ("4_all.sql", SQUASH)]);
    let database = TestDatabase::new();
    let _report = Migrator::new(&new).apply(database.pool()).await.unwrap();
    let error = Migrator::new(&old).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ahead, "{error:#}");
    assert_eq!(database.applied().await, ["0_init", "4_all"]);
}
