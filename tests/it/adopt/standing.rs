//! What stands against moving in, what a person vouches for, and where the tables are.

use super::*;

#[tokio::test]
async fn everything_that_stands_against_it_is_told_and_nothing_is_written() {
    let database = SQLX.database().await;
    database
        .run(
            "INSERT INTO _sqlx_migrations VALUES (7, 'gone', '2024-03-07 08:30:00+00', TRUE, '\\x00', 1), \
             (3, 'more', '2024-03-08 08:30:00+00', FALSE, '\\x00', -1)",
        )
        .await;
    let edited = SQLX.registry_of([USERS, "CREATE TABLE teams (id uuid);\n", MORE]);
    let before = SQLX.rows(&database).await;
    let error = moved_in(&edited, &database, &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    let text = format!("{error:#}");
    let sums = text
        .lines()
        .filter(|line| line.contains("SHA-384") || line.contains("of the file"))
        .count();
    assert_eq!(sums, 2, "{text}");
    let without_sums: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("SHA-384") && !line.contains("of the file"))
        .collect();
    assert_eq!(
        without_sums.join("\n"),
        "3 migrations stand against taking over the history of sqlx

changed: `2_teams` is not the file that sqlx applied on 2024-03-02 08:30:00 UTC
 --> migrations/2_teams.sql:1:1

unfinished: `3_more` (more) was begun by sqlx on 2024-03-08 08:30:00 UTC, and its end is not recorded
 --> migrations/3_more.sql:1:1

not here: `7` (gone) was applied by sqlx on 2024-03-07 08:30:00 UTC, and is no migration here

note: nothing was changed
help: restore the file as it was applied; LF and CRLF were tried, with and without a byte order mark, but not a mixture
help: if you know that the edit changes nothing, vouch for it: `Migrator::accept(\"2_teams\")` records it as unverified
help: put the file back, under the name it had
help: or leave it out of the new history: `Migrator::accept(\"7\")`; what it did stays in the database
help: settle it in sqlx first: mend the schema, then delete its row, or set `success` if it is all there"
    );
    assert!(has_no_table(&database).await);
    assert_eq!(SQLX.rows(&database).await, before);
    database.no_locks().await;
}

#[tokio::test]
async fn what_a_person_vouches_for_is_recorded_as_unverified_or_left_out() {
    let database = SQLX.database().await;
    database.run("INSERT INTO _sqlx_migrations VALUES (7, 'gone', now(), TRUE, '\\x00', 1)").await;
    let edited = SQLX.registry_of([USERS, "CREATE TABLE teams (id bigint);\n", MORE]);
    let migrator = Migrator::new(&edited).accept("2_teams").accept("7");
    let adoption = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap();
    assert_eq!(
        states(&adoption),
        ["1_users found checksum", "2_teams accepted", "3_more pending", "7 left out"]
    );
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    let status = migrator.verify(database.pool()).await.unwrap();
    let states: Vec<_> = status.entries().iter().map(dunlin::Entry::state).collect();
    assert_eq!(states, [State::Applied, State::Unverified, State::Pending]);
    let report = migrator.apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "3_more");
    // Nobody has to vouch again for what was left out, as long as there is nothing else.
    let again = looked(&edited, &database, &SQLX.origin()).await;
    assert_eq!((again.is_nothing(), again.n_elsewhere()), (true, 1));
    assert_eq!(moved_in(&edited, &database, &SQLX.origin()).await.unwrap(), 0);
    database.run("UPDATE _sqlx_migrations SET success = FALSE WHERE version = 7").await;
    assert!(!looked(&edited, &database, &SQLX.origin()).await.is_nothing());
}

/// A folder that has nothing of a history is the wrong one.
#[tokio::test]
async fn a_history_of_which_nothing_is_here_is_refused() {
    let (database, others) = (SQLX.database().await, registry(&[("8_other.sql", MORE)]));
    let error = moved_in(&others, &database, &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.to_string(), "2 migrations stand against taking over the history of sqlx");
}

#[tokio::test]
async fn what_the_history_has_stays_and_what_is_new_is_added() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    assert_eq!(moved_in(&migrations, &database, &SQLX.origin()).await.unwrap(), 2);
    let before = database.texts("SELECT m::text FROM migrations m ORDER BY id").await;
    database
        .run(&format!("{MORE} INSERT INTO _sqlx_migrations VALUES (3, 'more', '2024-03-03 08:30:00+00', TRUE, sha384(convert_to(E'{MORE}', 'UTF8')), 5)"))
        .await;
    assert_eq!(moved_in(&migrations, &database, &SQLX.origin()).await.unwrap(), 1);
    let after = database.texts("SELECT m::text FROM migrations m ORDER BY id").await;
    assert_eq!(after[..2], before);
    assert_eq!(database.applied().await, ["1_users", "2_teams", "3_more"]);
    assert!(Migrator::new(&migrations).apply(database.pool()).await.unwrap().is_noop());
}

#[tokio::test]
async fn a_tool_that_is_still_at_work_is_noticed() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    let adoption = looked(&migrations, &database, &SQLX.origin()).await;
    database.run("UPDATE _sqlx_migrations SET execution_time = 7").await;
    let error =
        Migrator::new(&migrations).adopt_from(database.pool(), &adoption).await.unwrap_err();
    assert_eq!(error.to_string(), "public._sqlx_migrations has changed since it was read");
    assert!(has_no_table(&database).await);
    database.no_locks().await;
}

/// A gap in the history: the rehearsal runs what is recorded, and nothing else.
#[tokio::test]
async fn a_migration_that_was_left_out_there_is_late_here() {
    let database = TestDatabase::new();
    database.run(&format!("{USERS}{MORE}{}", GOOSE.sql)).await;
    database.run("UPDATE goose_db_version SET version_id = 3 WHERE version_id = 2").await;
    let migrations = GOOSE.registry();
    let adoption = looked(&migrations, &database, &GOOSE.origin()).await;
    assert_eq!(states(&adoption), ["1_users found", "2_teams late", "3_more found"]);
    assert_eq!(moved_in(&migrations, &database, &GOOSE.origin()).await.unwrap(), 2);
    let report = Migrator::new(&migrations).apply(database.pool()).await.unwrap();
    assert_eq!(report.done()[0].name(), "2_teams");
}

#[tokio::test]
async fn a_table_that_is_called_otherwise_or_lies_elsewhere_is_named() {
    let (database, migrations) = (TestDatabase::new(), SQLX.registry());
    let migrator = Migrator::new(&migrations);
    let error = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "no history of sqlx: there is no table `_sqlx_migrations` in any schema
  |
  = note: nothing was changed
  = help: if the tool was told to use another table, name it: `Origin::table(\"...\")`"
            .replace("  |\n", "")
    );
    database.run("CREATE SCHEMA one; CREATE SCHEMA two").await;
    for schema in ["one", "two"] {
        database.run(&format!("SET search_path = {schema}; {}{USERS}{TEAMS}", SQLX.sql)).await;
    }
    let error = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Target);
    assert_eq!(
        format!("{error:#}"),
        "2 tables could be the history of sqlx
  = note: nothing was changed
  = help: name it: `Origin::new(Tool::Sqlx).schema(\"one\").table(\"_sqlx_migrations\")`
  = help: name it: `Origin::new(Tool::Sqlx).schema(\"two\").table(\"_sqlx_migrations\")`"
    );
    let error = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("there is two._sqlx_migrations, which looks like the history of sqlx: `Origin::new(Tool::Sqlx).schema(\"two\").table(\"_sqlx_migrations\")`"), "{text}");
    // One of them has nothing in it.
    database
        .run("CREATE TABLE rows AS TABLE two._sqlx_migrations; DELETE FROM two._sqlx_migrations")
        .await;
    let adoption = migrator.adoption(database.pool(), &SQLX.origin()).await.unwrap();
    assert_eq!(adoption.table().unwrap(), "one._sqlx_migrations");
    database.run("INSERT INTO two._sqlx_migrations TABLE rows; DROP TABLE rows").await;
    database.run("ALTER TABLE two._sqlx_migrations RENAME TO \"My.Table\"").await;
    let origin = SQLX.origin().schema("two").table("My.Table");
    let adoption = migrator.adoption(database.pool(), &origin).await.unwrap();
    assert_eq!(adoption.table().unwrap(), "two.\"My.Table\"");
    let error = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("there is one._sqlx_migrations, which looks like the history of sqlx: `Origin::new(Tool::Sqlx)`"), "{text}");
    let error =
        migrator.adoption(database.pool(), &DIESEL.origin().table("_sqlx_migrations")).await;
    assert_eq!(error.unwrap_err().to_string(), "one._sqlx_migrations is no history of diesel");
    let error = migrator.adoption(database.pool(), &TABLE.origin()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "no older tracking table: there is no table `applied_migrations` in any schema"
    );
}

#[tokio::test]
async fn a_role_needs_to_read_their_table_and_to_make_ours() {
    let (database, migrations) = (SQLX.database().await, SQLX.registry());
    let role = format!("mover_{}", std::process::id());
    database.run(&format!("CREATE ROLE {role}; CREATE SCHEMA own AUTHORIZATION {role}")).await;
    let mut client = database.client().await;
    client
        .batch_execute(&format!("SET SESSION AUTHORIZATION {role}; SET search_path = own, public"))
        .await
        .unwrap();
    let migrator = Migrator::new(&migrations);
    let error = migrator.adoption(&mut client, &SQLX.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("permission denied for table _sqlx_migrations"), "{text}");
    database.run(&format!("GRANT SELECT ON _sqlx_migrations TO {role}")).await;
    let adoption = migrator.adoption(&mut client, &SQLX.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(&mut client, &adoption).await.unwrap(), 2);
    assert_eq!(database.number("SELECT count(*) FROM own.migrations").await, 2);
    drop(client);
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
