//! The older table that is to be the history table itself.

use super::*;

/// The older table in its place, with its two rows.
async fn in_place() -> TestDatabase {
    let database = TABLE.database().await;
    database.run("ALTER TABLE applied_migrations RENAME TO migrations").await;
    database
}

const ORIGIN: Origin = Origin::new(Tool::Table);

const N_COLUMNS: &str =
    "SELECT count(*) FROM pg_attribute WHERE attrelid = 'migrations'::regclass AND attnum > 0";

#[tokio::test]
async fn an_older_table_in_its_place_is_proved_and_gets_our_names() {
    let (database, migrations) = (in_place().await, TABLE.registry());
    let origin = ORIGIN;
    let migrator = Migrator::new(&migrations);
    let origins = migrator.origins(database.pool()).await.unwrap();
    assert!(origins.len() == 1 && origins[0].is_in_place(), "{origins:?}");
    assert!(looked(&migrations, &database, &origin).await.is_in_place());
    assert_eq!(moved_in(&migrations, &database, &origin).await.unwrap(), 2);
    assert_eq!(
        database.texts(ROWS).await,
        [
            "20240301-users adopted t 2024-03-01 08:30:00.000000",
            "20240302-teams adopted t 2024-03-02 08:30:00.000000",
        ]
    );
    assert_eq!(moved_in(&migrations, &database, &origin).await.unwrap(), 0);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "20240303-more");
}

/// A row that stays would be missing here, and everything that follows refused.
#[tokio::test]
async fn a_row_that_is_not_here_goes_when_somebody_vouches_for_it() {
    let (database, migrations) = (in_place().await, TABLE.registry());
    database
        .run("INSERT INTO migrations (name) VALUES ('20240201-gone.js'), ('20240202-too')")
        .await;
    let refused = moved_in(&migrations, &database, &ORIGIN).await.unwrap_err();
    assert_eq!(
        format!("{refused:#}").lines().filter(|line| line.starts_with("not here: ")).count(),
        2,
        "{refused:#}"
    );
    let migrator =
        Migrator::new(&migrations).unproved(true).accept("20240201-gone.js").accept("20240202-too");
    let adoption = migrator.adoption(database.pool(), &ORIGIN).await.unwrap();
    assert_eq!(
        states(&adoption),
        [
            "20240301-users found",
            "20240302-teams found",
            "20240303-more pending",
            "20240201-gone.js left out",
            "20240202-too left out",
        ]
    );
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    assert_eq!(database.applied().await, ["20240301-users", "20240302-teams"]);
    let log =
        "SELECT concat_ws(' ', action, outcome, name, message) FROM migrations_log ORDER BY id";
    assert_eq!(
        database.texts(log).await,
        [
            "adopt done 20240201-gone.js left out of the history: it is no migration here",
            "adopt done 20240202-too left out of the history: it is no migration here",
            "adopt done 20240301-users",
            "adopt done 20240302-teams",
        ]
    );
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "20240303-more");
}

/// Two rows of one name would be one migration that is applied twice.
#[tokio::test]
async fn a_table_with_two_rows_of_one_name_is_refused() {
    let (database, migrations) = (in_place().await, TABLE.registry());
    database
        .run(
            "ALTER TABLE migrations DROP CONSTRAINT applied_migrations_name_key; \
             INSERT INTO migrations (name) VALUES ('20240302-teams'), ('20240101-old'), ('20240101-old'), ('20240101-old')",
        )
        .await;
    let error = moved_in(&migrations, &database, &ORIGIN).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History);
    assert_eq!(
        format!("{error:#}"),
        "2 names are more than once in public.migrations

more than once: `20240302-teams` in the rows 2 (`20240302-teams.js`), 3

more than once: `20240101-old` in the rows 4, 5, 6

note: the history has one row for each migration; nothing was changed
help: keep one row of each and delete the others: `DELETE FROM \"public\".\"migrations\" WHERE id IN (3, 5, 6)`"
    );
    let migrator = Migrator::new(&migrations);
    let error = migrator.adopt(database.pool()).await.unwrap_err();
    assert_eq!(error.to_string(), "`20240101-old` is more than once in public.migrations");
    assert_eq!(database.number(N_COLUMNS).await, 3);
    database.no_locks().await;
    // A statement over numbers would take the row that is to stay as well.
    database.run("ALTER TABLE migrations DROP CONSTRAINT applied_migrations_pkey; UPDATE migrations SET id = 5 WHERE id > 4").await;
    let error = migrator.adopt(database.pool()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("their numbers do not tell them apart"), "{text}");
    assert!(!text.contains("DELETE"), "{text}");
    database.run("DELETE FROM migrations WHERE id = 3 OR id = 5").await;
    assert!(migrator.adopt(database.pool()).await.unwrap());
}

/// A table without a key may hold a row that names nothing.
#[tokio::test]
async fn a_row_without_a_name_is_told_and_can_be_left_out() {
    let (database, migrations) = (in_place().await, TABLE.registry());
    database
        .run("ALTER TABLE migrations ALTER name DROP NOT NULL; INSERT INTO migrations (name) VALUES (NULL)")
        .await;
    let error = moved_in(&migrations, &database, &ORIGIN).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.starts_with("`NULL` stands against taking over "), "{text}");
    assert!(text.contains("not here: a row without a name, written on 20"), "{text}");
    let migrator = Migrator::new(&migrations).unproved(true).accept("NULL");
    let adoption = migrator.adoption(database.pool(), &ORIGIN).await.unwrap();
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    assert_eq!(database.applied().await, ["20240301-users", "20240302-teams"]);
}
