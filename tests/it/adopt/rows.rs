//! Rows of other tools that are not simply applied, and what their columns mean.

use super::*;

/// Without a zone a time is in that of the session, but for diesel, whose sessions are in UTC.
#[tokio::test]
async fn a_time_without_a_zone_is_read_in_the_session_s() {
    const TOKYO: &str = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'Asia/Tokyo'); END $$";
    let moves = |history: History| async move {
        let (database, migrations) = (history.database().await, history.registry());
        database.run(TOKYO).await;
        let migrator = Migrator::new(&migrations).unproved(true);
        let adoption = migrator.adoption(database.pool(), &history.origin()).await.unwrap();
        assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
        let times = "SELECT to_char(executed_at AT TIME ZONE 'UTC', 'DD HH24:MI') FROM migrations ORDER BY id";
        database.texts(times).await
    };
    assert_eq!(moves(GOOSE).await, ["29 23:10", "01 23:30"]);
    assert_eq!(moves(FLYWAY).await, ["29 23:30", "01 23:30"]);
    assert_eq!(moves(DIESEL).await, ["01 08:30", "02 08:30"]);
    assert_eq!(moves(SQLX).await, ["01 08:30", "02 08:30"]);
}

/// The rows of Flyway that are not simply applied.
#[tokio::test]
async fn flyway_s_other_rows() {
    let database = FLYWAY.database().await;
    database
        .run(
            "DELETE FROM flyway_schema_history; INSERT INTO flyway_schema_history VALUES \
             (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '\"app\"', NULL, 'ana', '2024-01-01', 0, true), \
             (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'ana', '2024-01-02', 0, true), \
             (2, '2', 'teams', 'SQL', 'V2__teams.sql', 1, 'ana', '2024-01-03', 0, true), \
             (3, '2', 'teams', 'UNDO_SQL', 'U2__teams.sql', 1, 'ana', '2024-01-04', 0, true), \
             (4, NULL, 'views', 'SQL', 'R__views.sql', 77, 'ana', '2024-01-05', 0, true), \
             (5, NULL, 'views', 'SQL', 'R__views.sql', 78, 'ana', '2024-01-06', 0, true), \
             (6, '8', 'dropped', 'SQL', 'V8__dropped.sql', 1, 'ana', '2024-01-07', 0, true), \
             (7, '8', 'dropped', 'DELETE', 'V8__dropped.sql', 1, 'ana', '2024-01-08', 0, true), \
             (8, '3', 'more', 'SQL', 'V3__more.sql', 1, 'ana', '2024-01-09', 0, false)",
        )
        .await;
    let adoption = looked(&FLYWAY.registry(), &database, &FLYWAY.origin()).await;
    assert_eq!(
        states(&adoption),
        ["V1__users found", "V2__teams undone", "V3__more failed", "views left out"]
    );
    let error = format!("{:#}", adoption.allowed(true).unwrap_err());
    assert!(
        error.starts_with("`V3__more` stands against taking over the history of Flyway\n"),
        "{error}"
    );
    assert!(error.contains("`flyway repair` removes the failed row"), "{error}");
}

#[tokio::test]
async fn prisma_s_unfinished_row() {
    let database = PRISMA.database().await;
    database
        .run("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20240303083000_more')")
        .await;
    let adoption = looked(&PRISMA.registry(), &database, &PRISMA.origin()).await;
    assert_eq!(adoption.entries()[2].state(), AdoptionState::Unfinished);
    let error = format!("{:#}", adoption.allowed(true).unwrap_err());
    assert!(error.contains("`prisma migrate resolve --applied <name>`"), "{error}");
}

#[tokio::test]
async fn a_dirty_version_must_be_settled_first() {
    let (database, migrations) = (GOLANG_MIGRATE.database().await, GOLANG_MIGRATE.registry());
    database.run("UPDATE schema_migrations SET dirty = true").await;
    let error = moved_in(&migrations, &database, &GOLANG_MIGRATE.origin()).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "`2_teams` stands against taking over the history of golang-migrate

failed: `2_teams` is dirty: it failed in golang-migrate, and nobody knows what of it took effect
 --> migrations/2_teams.up.sql:1:1

note: nothing was changed
help: settle it in golang-migrate first: mend the schema, then `migrate ... force <version>` to the version it really has"
    );
    database.run("UPDATE schema_migrations SET (version, dirty) = (9, false)").await;
    let error = moved_in(&migrations, &database, &GOLANG_MIGRATE.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    for part in [
        "the database is at version 9 of golang-migrate, and no migration here has it\n",
        "or leave it out of the new history: `Migrator::accept(\"9\")`; what is older and here counts as applied, and",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(has_no_table(&database).await);
    let migrator = Migrator::new(&migrations).accept("9").unproved(true);
    let adoption = migrator.adoption(database.pool(), &GOLANG_MIGRATE.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 3);
}
