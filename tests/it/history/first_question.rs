//! The first question of a start, and what the server keeps for it.

use dunlin::{ErrorKind, Migrator, Registry};
use dunlin_core::Fingerprint;
use dunlin_tests::{Proxy, Recorder, Side, TestDatabase, connect, pool, registry, rendered};

use super::{applied, repeatable, tables};

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
