//! Roles that may read or create less.

use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{TestDatabase, pool, rendered};

use super::{applied, tables};

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
