//! The history table: what it costs to ask it, whose it is, and what people do to it by hand.

use dunlin::{ErrorKind, Migrator, Registry, State};
use dunlin_core::Fingerprint;
use dunlin_tests::{Proxy, Recorder, Side, TestDatabase, connect, pool, registry, rendered};

/// So many migrations, each a table.
fn tables(n: usize) -> Registry {
    let files: Vec<_> = (1..=n)
        .map(|n| (format!("{n:04}_t{n}.sql"), format!("CREATE TABLE t{n} (id int);\n")))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    registry(&files)
}

/// Two that can run on what they have made.
fn repeatable() -> Registry {
    registry(&[
        ("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);"),
        (
            "2_b.sql",
            "-- dunlin: no-transaction\nCREATE TABLE IF NOT EXISTS b (id int);\nCREATE TABLE IF NOT EXISTS c (id int);",
        ),
    ])
}

async fn applied(registry: &Registry) -> TestDatabase {
    let database = TestDatabase::new();
    let _report = Migrator::new(registry).apply(database.pool()).await.unwrap();
    database
}

async fn refused(registry: &Registry, database: &TestDatabase) -> String {
    let error = Migrator::new(registry).apply(database.pool()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History, "{error:#}");
    assert_eq!(error.migration(), None);
    rendered(&error)
}

#[tokio::test]
async fn a_start_with_nothing_to_do_is_one_round_trip_of_constant_size() {
    let mut sizes = Vec::new();
    for n in [3, 300] {
        let migrations = tables(n);
        let database = applied(&migrations).await;
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut client = connect(proxy.connection_string()).await;
        let _connecting = proxy.take();

        let report = Migrator::new(&migrations).apply(&mut client).await.unwrap();
        let traffic = proxy.take();
        assert!(report.is_noop());
        assert_eq!(report.n_total(), n);
        // One simple query; its answer holds a row for each of its four statements.
        assert_eq!((traffic.n_round_trips, traffic.kinds(Side::Client).as_str()), (1, "Q"));
        assert_eq!(traffic.kinds(Side::Server), "TDCTDCTDCTDCZ");
        sizes.push((traffic.n_bytes(Side::Client), traffic.n_bytes(Side::Server)));

        let left = "SELECT count(*) FROM pg_prepared_statements";
        assert_eq!(client.query_typed(left, &[]).await.unwrap()[0].get::<_, i64>(0), 0);
        assert_eq!(database.n_locks().await, 0);
    }
    // What differs is how many digits the numbers have, and the name of the last one.
    let (few, many) = (sizes[0], sizes[1]);
    assert!(few.0.abs_diff(many.0) < 8 && few.1.abs_diff(many.1) < 16, "{few:?} {many:?}");
}

/// Texts of every length that the words of the hash can be filled to, on each version of the server.
#[tokio::test]
async fn the_server_hashes_rows_as_the_build_does() {
    let database = TestDatabase::new();
    let client = connect(&database.connection_string()).await;
    let text = "0001_größe-日本 sha256:0123456789abcdef";
    let names: Vec<_> = text.char_indices().map(|(at, _)| &text[..at]).collect();
    let hash = "SELECT hashtextextended(name, 0) FROM unnest($1::text[]) WITH ORDINALITY AS it (name, n) ORDER BY n";
    let rows = client.query(hash, &[&names]).await.unwrap();
    assert!(rows.len() > 36);
    for (name, row) in names.iter().zip(rows) {
        let found: i64 = row.get(0);
        assert_eq!(Fingerprint::of_row(name, None).number().cast_signed(), found, "{name:?}");
    }
}

/// How often a start on a client asks, and what it tells.
async fn start(database: &TestDatabase, migrations: &Registry) -> (usize, Vec<String>) {
    let proxy = Proxy::start(&database.connection_string()).await;
    let mut client = connect(proxy.connection_string()).await;
    let _connecting = proxy.take();
    let recorder = Recorder::default();
    let migrator = Migrator::new(migrations).observer(recorder.clone());
    let report = migrator.apply(&mut client).await.unwrap();
    assert!(report.is_noop());
    let n_rows = database.number("SELECT count(*) FROM migrations").await;
    assert_eq!(i64::try_from(report.n_total()).unwrap(), n_rows);
    (proxy.take().n_round_trips, recorder.lines())
}

#[tokio::test]
async fn adopted_rows_cost_no_second_question_and_newer_ones_cost_one() {
    const UP_TO_DATE: &str = "✅ All migrations are up-to-date (no new migrations to run)";
    let (three, five) = (tables(3), tables(5));
    let database = applied(&five).await;
    // As many of the first without a checksum as anybody can have adopted.
    for n in 0..=5 {
        database.run(&format!("UPDATE migrations SET checksum = NULL WHERE id <= {n}")).await;
        assert_eq!(start(&database, &five).await, (1, vec![UP_TO_DATE.to_owned()]), "{n}");
    }
    // One in the middle is a matter for the whole history.
    let database = applied(&five).await;
    database.run("UPDATE migrations SET checksum = NULL WHERE id = 3").await;
    assert!(start(&database, &five).await.0 > 1);

    // A build that is older, and whose first ones are adopted.
    for adopted in ["", "UPDATE migrations SET checksum = NULL WHERE id < 3"] {
        let database = applied(&five).await;
        database.run(adopted).await;
        let (n_round_trips, lines) = start(&database, &three).await;
        assert_eq!((n_round_trips, lines.len()), (2, 3), "{lines:?}");
        assert!(lines[0].ends_with("by 2 migration(s): 0004_t4, 0005_t5"), "{lines:?}");
        database.run("UPDATE migrations SET breaking = true WHERE name = '0004_t4'").await;
        let error = Migrator::new(&three).apply(database.pool()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ahead);
    }
    let database = applied(&tables(120)).await;
    let (n_round_trips, lines) = start(&database, &three).await;
    assert!(n_round_trips == 2 && lines[0].contains("by 117 migration(s)"), "{lines:?}");
    // Counters without zeroes are not sorted as texts are: the whole history decides.
    let folder = ["9_a.sql", "10_b.sql", "11_c.sql"].map(|name| (name, "SELECT 1"));
    let database = applied(&registry(&folder)).await;
    assert_eq!(start(&database, &registry(&folder)).await, (1, vec![UP_TO_DATE.to_owned()]));
    let (n_round_trips, lines) = start(&database, &registry(&folder[..2])).await;
    assert!(n_round_trips > 2 && lines[0].ends_with("by 1 migration(s): 11_c"), "{lines:?}");
}

/// Every way in which a row comes to be or is changed by hand: the server keeps its hash.
#[tokio::test]
async fn the_table_keeps_the_hash_that_a_build_expects() {
    let five = tables(5);
    let database = applied(&five).await;
    let of_rows = async || {
        let question = "SELECT bit_xor(fingerprint), (SELECT bit_xor(hashtextextended(concat_ws(' ', name, checksum), 0)) \
                        FROM migrations) FROM migrations";
        let row =
            connect(&database.connection_string()).await.query_one(question, &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
        row.get::<_, i64>(0)
    };
    let begun = of_rows().await;
    let build =
        five.iter().map(|it| Fingerprint::of_row(it.name(), Some(&it.checksum().to_string())));
    assert_eq!(begun, build.collect::<Fingerprint>().number().cast_signed());
    for change in [
        "UPDATE migrations SET checksum = 'sha256:00' WHERE id = 3",
        "UPDATE migrations SET checksum = NULL WHERE id = 4",
        "UPDATE migrations SET name = 'x' WHERE id = 5",
        "DELETE FROM migrations WHERE id = 1",
        "INSERT INTO migrations (name) VALUES ('y')",
    ] {
        let before = of_rows().await;
        database.run(change).await;
        assert_ne!(of_rows().await, before, "{change}");
    }
}

/// A table that an early build has made, or one that somebody has copied without it.
#[tokio::test]
async fn a_table_without_the_hashes_serves_and_gets_them_with_the_next_migration() {
    let (three, five) = (tables(3), tables(5));
    let database = applied(&three).await;
    database.run("ALTER TABLE migrations DROP COLUMN fingerprint").await;
    let (n_round_trips, lines) = start(&database, &three).await;
    assert!(n_round_trips > 1 && lines.len() == 1, "{n_round_trips} {lines:?}");
    // A start that writes nothing leaves the table as it is.
    let n_columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'migrations'::regclass \
                     AND attname = 'fingerprint' AND attgenerated = 's'";
    assert_eq!(database.number(n_columns).await, 0);

    let report = Migrator::new(&five).apply(database.pool()).await.unwrap();
    assert_eq!(report.done().len(), 2);
    assert_eq!(database.number(n_columns).await, 1);
    assert_eq!(start(&database, &five).await.0, 1);
}

#[tokio::test]
async fn what_only_looks_like_an_adopted_or_a_newer_history_is_found_out() {
    let (three, five) = (tables(3), tables(5));
    let edited = "UPDATE migrations SET checksum = 'sha256:00' WHERE id = 3";
    for (change, build, kind) in [
        ("UPDATE migrations SET checksum = NULL WHERE id < 3", &five, ErrorKind::Drift),
        ("SELECT 1", &three, ErrorKind::Drift),
    ] {
        let database = applied(&five).await;
        database.run(&format!("{change}; {edited}")).await;
        let error = Migrator::new(build).apply(database.pool()).await.unwrap_err();
        assert_eq!((error.kind(), error.drift()[0].name()), (kind, "0003_t3"));
    }
    // It is not newer, it is missing.
    let database = applied(&five).await;
    database.run("UPDATE migrations SET name = '0002_x' WHERE name = '0005_t5'").await;
    let error = Migrator::new(&three).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.drift()[0].name()), (ErrorKind::Drift, "0002_x"));
    // One of its own is pending, although there are more rows than it has migrations.
    let database = applied(&five).await;
    database.run("DELETE FROM migrations WHERE id = 2; DROP TABLE t2").await;
    let report = Migrator::new(&three).apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "0002_t2");
    // Two equal rows, which only a table without its unique name can have, hide nothing.
    let database = applied(&five).await;
    let twice = "INSERT INTO migrations (name) VALUES ('0000_x'), ('0000_x')";
    database.run("ALTER TABLE migrations DROP CONSTRAINT migrations_name_key").await;
    database.run(twice).await;
    let error = Migrator::new(&five).apply(database.pool()).await.unwrap_err();
    assert_eq!((error.kind(), error.drift()[0].name()), (ErrorKind::Drift, "0000_x"));
    // An undo of a newer one that was cut off is told by whoever can go on with it.
    let database = applied(&five).await;
    let cut = "UPDATE migrations SET statements = 2, statements_done = 1 WHERE id = 5";
    database.run(cut).await;
    assert!(Migrator::new(&three).apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn fresh_migrations_do_not_wait_for_each_other() {
    for n in [1, 20, 200] {
        let database = TestDatabase::new();
        let proxy = Proxy::start(&database.connection_string()).await;
        let mut client = connect(proxy.connection_string()).await;
        let _connecting = proxy.take();
        let report = Migrator::new(&tables(n)).apply(&mut client).await.unwrap();
        assert_eq!(report.done().len(), n);
        let n_round_trips = proxy.take().n_round_trips;
        // The question, the lock, the state, the settings, the table, the migrations, the release.
        assert!(n_round_trips <= 8, "{n_round_trips} round trips for {n} migrations");
    }
}

#[tokio::test]
async fn a_start_with_nothing_to_do_writes_nothing() {
    let migrations = repeatable();
    let database = applied(&migrations).await;
    let read_only =
        format!("{} options='-c default_transaction_read_only=on'", database.connection_string());
    let report = Migrator::new(&migrations).apply(&pool(&read_only)).await.unwrap();
    assert!(report.is_noop());

    let empty = TestDatabase::new();
    let read_only =
        format!("{} options='-c default_transaction_read_only=on'", empty.connection_string());
    let error = Migrator::new(&migrations).apply(&pool(&read_only)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(
        rendered(&error),
        "\
the session is read-only, so nothing can be written
  = note: `default_transaction_read_only` is on for the role, the database, the server or this connection; nothing was changed
  = help: migrate as a role that writes, or connect with `options='-c default_transaction_read_only=off'`"
    );
}

/// A role that can log in and has no rights yet; it goes with the value's database.
async fn role(database: &TestDatabase) -> (String, deadpool_postgres::Pool) {
    let role = database.texts("SELECT current_database()::text || '_role'").await.remove(0);
    database.run(&format!("CREATE ROLE {role} LOGIN")).await;
    database.run("REVOKE CREATE ON SCHEMA public FROM public").await;
    let there = database.connection_string().replace("user=postgres", &format!("user={role}"));
    (role, pool(&there))
}

async fn drop_role(database: &TestDatabase, role: &str) {
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_role_that_may_only_read_starts_an_application_that_is_up_to_date() {
    let one = tables(1);
    let database = applied(&one).await;
    let (role, pool) = role(&database).await;

    let error = Migrator::new(&one).apply(&pool).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        format!(
            "\
reading the history table: permission denied for table migrations (42501)
  = note: nothing was changed
  = help: GRANT USAGE ON SCHEMA \"public\" TO \"{role}\"; GRANT SELECT ON \"public\".\"migrations\" TO \"{role}\";"
        )
    );
    let grant = rendered(&error).rsplit_once("help: ").unwrap().1.to_owned();
    database.run(&grant).await;
    assert!(Migrator::new(&one).apply(&pool).await.unwrap().is_noop());
    assert!(Migrator::new(&tables(0)).apply(&pool).await.unwrap().is_noop());
    assert_eq!(Migrator::new(&tables(2)).status(&pool).await.unwrap().n_pending(), 1);

    let error = Migrator::new(&tables(3)).apply(&pool).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        format!(
            "\
2 migration(s) pending, and role `{role}` may not write to \"public\".\"migrations\"
  = note: nothing was changed
  = help: migrate as a role that may, before this application starts; once everything is applied, it needs only SELECT"
        )
    );
    assert_eq!((error.kind(), database.n_locks().await), (ErrorKind::History, 0));
    assert_eq!(database.applied().await, ["0001_t1"]);
    drop_role(&database, &role).await;
}

#[tokio::test]
async fn a_role_that_may_create_nothing_is_told_so() {
    let database = TestDatabase::new();
    let (role, pool) = role(&database).await;
    let error = Migrator::new(&tables(1)).apply(&pool).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
creating the history table \"public\".\"migrations\": permission denied for schema public (42501)
  = note: nothing was changed
  = help: grant the right to the role that migrates, or migrate as the owner of the schema"
    );
    assert_eq!(database.n_locks().await, 0);
    // One that keeps the history, but may not create the tables.
    database
        .run(&format!(
            "CREATE SCHEMA own AUTHORIZATION {role}; GRANT USAGE ON SCHEMA own TO {role}"
        ))
        .await;
    let error = Migrator::new(&tables(1)).history_schema("own").apply(&pool).await.unwrap_err();
    let text = rendered(&error);
    assert!(
        text.starts_with(
            "migration `0001_t1` failed: permission denied for schema public (42501)\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("= help: grant the right, or migrate as a role that has it, and start again: the run continues with `0001_t1`"), "{text}");
    drop_role(&database, &role).await;
}

const PLAIN: &str = "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, \
    executed_at timestamp DEFAULT now());";

#[tokio::test]
async fn an_older_tracking_table_is_adopted_on_request() {
    let database = TestDatabase::new();
    database
        .run(&format!("{PLAIN} INSERT INTO migrations (name) VALUES ('0001_t1'), ('0002_t2')"))
        .await;
    let migrations = tables(3);
    assert_eq!(
        refused(&migrations, &database).await,
        "\
\"public\".\"migrations\" is an older tracking table: it has only id, name and executed_at
  = note: nothing was changed; Dunlin keeps checksums beside these columns and adds them only on request
  = help: if its names are those of the migrations here, add the columns once: `Migrator::adopt`
  = help: or keep another table: `Migrator::history_table(\"dunlin_migrations\")`"
    );
    let columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'migrations'::regclass AND attnum > 0";
    assert_eq!(database.number(columns).await, 3);

    assert!(Migrator::new(&migrations).adopt(database.pool()).await.unwrap());
    assert!(!Migrator::new(&migrations).adopt(database.pool()).await.unwrap());
    let status = Migrator::new(&migrations).verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (2, 1));

    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    let done: Vec<_> = report.done().iter().map(dunlin::Done::name).collect();
    assert_eq!((done, report.n_total()), (vec!["0003_t3"], 3));
    assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
    let kinds = database.texts("SELECT kind FROM migrations ORDER BY id").await;
    assert_eq!(kinds, ["adopted", "adopted", "sql"]);
    assert_eq!(database.n_locks().await, 0);
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_left_alone() {
    for (sql, what) in [
        ("CREATE VIEW migrations AS SELECT 1 AS id", "it is a view"),
        ("CREATE MATERIALIZED VIEW migrations AS SELECT 1 AS id", "it is a materialized view"),
        ("CREATE SEQUENCE migrations", "it is a sequence"),
        ("CREATE TABLE x (id int); CREATE INDEX migrations ON x (id)", "it is an index"),
        ("CREATE TYPE migrations AS (a int)", "it is a type"),
        (
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; \
             CREATE FOREIGN TABLE migrations (id int, name text, executed_at date) SERVER s",
            "it is a foreign table",
        ),
        (
            "CREATE TABLE migrations (version bigint, success boolean)",
            "it has no columns id, name, executed_at",
        ),
        (
            "CREATE TABLE migrations (id serial, migration varchar, batch int)",
            "it has no columns name, executed_at",
        ),
        (
            "CREATE TABLE migrations (id int, name int, executed_at date, checksum json)",
            "its column name is of type integer",
        ),
        (
            "CREATE TABLE migrations (id int, name text, executed_at date, batch int)",
            "besides id, name and executed_at it has batch",
        ),
    ] {
        let database = TestDatabase::new();
        database.run(sql).await;
        let all = "SELECT string_agg(format('%s %s %s', relname, relkind, relnatts), ', ' ORDER BY oid) FROM pg_class WHERE oid > 16383";
        let before = database.texts(all).await;
        let expected = format!(
            "\
\"public\".\"migrations\" is not a history table: {what}
  = note: nothing was changed; it belongs to somebody else
  = help: give the history table another name: `Migrator::history_table(\"dunlin_migrations\")`"
        );
        assert_eq!(refused(&tables(1), &database).await, expected);
        let error = Migrator::new(&tables(1)).adopt(database.pool()).await.unwrap_err();
        assert_eq!(rendered(&error), expected);
        let error = Migrator::new(&tables(1)).status(database.pool()).await.unwrap_err();
        assert_eq!(rendered(&error), expected);
        assert_eq!(database.texts(all).await, before);

        let other = tables(1);
        let other = Migrator::new(&other).history_table("dunlin_migrations");
        assert_eq!(other.apply(database.pool()).await.unwrap().done().len(), 1);
    }
}

#[tokio::test]
async fn a_type_with_the_tables_name_is_found_when_the_table_is_created() {
    let database = TestDatabase::new();
    database.run("CREATE TYPE migrations AS ENUM ('a')").await;
    let error = Migrator::new(&tables(1)).apply(database.pool()).await.unwrap_err();
    let text = rendered(&error);
    assert!(text.contains("type \"migrations\" already exists (42710)"), "{text}");
    assert!(text.contains("= note: nothing was changed\n"), "{text}");
    assert!(text.ends_with("`Migrator::history_table(\"dunlin_migrations\")`"), "{text}");
}

#[tokio::test]
async fn names_are_taken_as_they_are() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);")]);
    for (schema, table) in [
        ("Order \"s\"", "My.Migrations"),
        ("select", "table"),
        ("größe 表", "émigré's 😀"),
        ("back\\slash", "E'x'; DROP TABLE a; --"),
        ("$1", "%s"),
    ] {
        let migrator = Migrator::new(&migrations).history_schema(schema).history_table(table);
        let report = migrator.apply(database.pool()).await.unwrap();
        assert!(report.history_created(), "{schema} {table}");
        assert!(migrator.apply(database.pool()).await.unwrap().is_noop(), "{schema} {table}");
        assert_eq!(migrator.status(database.pool()).await.unwrap().n_applied(), 1);
        let there = database
            .client()
            .await
            .query(
                "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2",
                &[&schema, &table],
            )
            .await;
        assert_eq!(there.unwrap().len(), 1, "{schema} {table}");
    }
    assert_eq!(database.number("SELECT count(*) FROM a").await, 0);
}

#[tokio::test]
async fn a_name_that_the_server_cannot_have_is_refused() {
    let database = TestDatabase::new();
    let migrations = tables(1);
    let long = "é".repeat(32);
    for (table, fact) in [
        (long.as_str(), "it has 64 bytes, and PostgreSQL keeps 63"),
        ("", "it is empty"),
        ("a\0b", "it has a NUL character in it"),
    ] {
        for what in ["table", "schema"] {
            let migrator = Migrator::new(&migrations);
            let migrator = match what {
                "table" => migrator.history_table(table),
                _ => migrator.history_schema(table),
            };
            let error = migrator.apply(database.pool()).await.unwrap_err();
            assert_eq!(
                rendered(&error),
                format!(
                    "\
{table:?} cannot be the {what} of the history: {fact}
  = note: nothing was changed
  = help: choose another name: `Migrator::history_{what}`"
                )
            );
        }
    }
    let longest = format!("{}a", "é".repeat(31));
    let migrator = Migrator::new(&migrations).history_table(&longest).history_schema(&longest);
    assert_eq!(migrator.apply(database.pool()).await.unwrap().done().len(), 1);
    assert!(migrator.apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn a_row_that_people_have_edited_never_stops_anyone_from_looking() {
    let migrations = repeatable();
    for sql in [
        "UPDATE migrations SET executed_at = 'infinity'",
        "UPDATE migrations SET executed_at = '-infinity'",
        "UPDATE migrations SET executed_at = '4713-01-01 BC'",
        "UPDATE migrations SET checksum = NULL, kind = NULL, duration_ms = NULL, up_text = NULL",
        "UPDATE migrations SET duration_ms = -5, kind = 'x', applied_by = NULL, application = NULL",
        "UPDATE migrations SET statements = -3, statements_done = -7, statements_begun = -1",
        "UPDATE migrations SET statements = 3, statements_done = NULL, statements_begun = NULL",
        "UPDATE migrations SET id = -id",
        "ALTER TABLE migrations DROP CONSTRAINT migrations_name_key; \
         INSERT INTO migrations (name) SELECT name FROM migrations",
        "ALTER TABLE migrations DROP CONSTRAINT migrations_pkey; ALTER TABLE migrations \
         ALTER id DROP NOT NULL, ALTER executed_at DROP NOT NULL; \
         UPDATE migrations SET id = NULL, executed_at = NULL",
        "ALTER TABLE migrations ALTER executed_at TYPE timestamp",
        "ALTER TABLE migrations ALTER executed_at TYPE date",
        "ALTER TABLE migrations ALTER id TYPE text, ALTER id DROP DEFAULT",
        "ALTER TABLE migrations ADD COLUMN note text NOT NULL DEFAULT 'x'",
    ] {
        let database = applied(&migrations).await;
        database.run(sql).await;
        let status = Migrator::new(&migrations).status(database.pool()).await;
        let status = status.unwrap_or_else(|error| panic!("{sql}: {error:#}"));
        assert_eq!((status.n_pending(), status.drift().len()), (0, 0), "{sql}");
        let report = Migrator::new(&migrations).apply(database.pool()).await;
        assert!(report.unwrap_or_else(|error| panic!("{sql}: {error:#}")).is_noop(), "{sql}");
    }
}

#[tokio::test]
async fn an_odd_name_or_checksum_is_drift_that_is_explained() {
    let migrations = repeatable();
    for (sql, n) in [
        ("UPDATE migrations SET checksum = 'odd'", 2),
        ("UPDATE migrations SET checksum = upper(checksum)", 2),
        ("UPDATE migrations SET checksum = '', up_text = NULL", 2),
        ("UPDATE migrations SET name = '' WHERE name = '1_a'", 1),
        ("UPDATE migrations SET name = E'no\\nversion' WHERE name = '1_a'", 1),
        ("UPDATE migrations SET name = ' 1_a ' WHERE name = '1_a'", 1),
        ("ALTER TABLE migrations ALTER name DROP NOT NULL; UPDATE migrations SET name = NULL", 2),
    ] {
        let database = applied(&migrations).await;
        database.run(sql).await;
        let error = Migrator::new(&migrations).apply(database.pool()).await.unwrap_err();
        let text = rendered(&error);
        assert_eq!((error.kind(), error.drift().len()), (ErrorKind::Drift, n), "{sql}: {text}");
    }
}

#[tokio::test]
async fn numbers_of_statements_that_cannot_be_do_no_harm() {
    let migrations = repeatable();
    let database = applied(&migrations).await;
    let numbers = async |done: i32, begun: i32, all: i32| {
        let set =
            format!("statements_done = {done}, statements_begun = {begun}, statements = {all}");
        database.run(&format!("UPDATE migrations SET {set} WHERE name = '2_b'")).await;
        Migrator::new(&migrations).apply(database.pool()).await
    };
    let error = numbers(1, 1_999_999_999, 2_000_000_000).await.unwrap_err();
    assert_eq!(error.migration(), Some("2_b"));
    let text = rendered(&error);
    assert!(text.starts_with("migration `2_b` was cut off in statement 2 of 2\n"), "{text}");
    // One statement of two, and more than there are.
    for (done, all) in [(1, 9), (8, 9)] {
        assert_eq!(numbers(done, done, all).await.unwrap().done().len(), 1);
        assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
    }
}

#[tokio::test]
async fn deleting_a_row_makes_a_migration_pending_and_late() {
    let migrations = repeatable();
    let database = applied(&migrations).await;
    database.run("DELETE FROM migrations WHERE name = '1_a'").await;
    let status = Migrator::new(&migrations).status(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Late), status.count(State::Applied)), (1, 1));
    let recorder = Recorder::default();
    let report =
        Migrator::new(&migrations).observer(recorder.clone()).apply(database.pool()).await.unwrap();
    assert_eq!((report.done()[0].name(), report.n_total()), ("1_a", 2));
    assert_eq!(
        recorder.lines()[0],
        "⚠️  1 pending migration(s) older than the newest applied one: 1_a"
    );
    assert_eq!(database.applied().await, ["2_b", "1_a"]);
}
