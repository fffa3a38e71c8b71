//! There is no connection, or no longer.

use std::time::Duration;

use deadpool_postgres::{Manager, Pool, Runtime};
use dunlin::{ErrorKind, Migrator};
use dunlin_tests::{TestDatabase, pool, registry, rendered};
use tokio_postgres::NoTls;

#[tokio::test]
async fn no_server_no_database_no_role() {
    let database = TestDatabase::new();
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let there = database.connection_string();
    let name = there.rsplit_once("dbname=").unwrap().1.to_owned();
    for (connection_string, headline, help) in [
        (
            "host=/nowhere/at/all user=u dbname=d".to_owned(),
            "no connection to the database: error connecting to server: No such file or directory (os error 2)",
            "check that the server runs and that host, port, user, password and database are right",
        ),
        (
            there.replace(&name, "nonesuch"),
            "no connection to the database: database \"nonesuch\" does not exist (3D000)",
            "create the database, or correct its name in the connection string",
        ),
        (
            there.replace("user=postgres", "user=nobody_here"),
            "no connection to the database: role \"nobody_here\" does not exist (28000)",
            "create the role, correct it in the connection string, or let it in in `pg_hba.conf`",
        ),
    ] {
        let error = Migrator::new(&migrations).apply(&pool(&connection_string)).await.unwrap_err();
        assert_eq!(
            rendered(&error),
            format!("{headline}\n  = note: nothing was changed\n  = help: {help}")
        );
        assert_eq!(error.kind(), ErrorKind::Connection);
    }
}

#[tokio::test]
async fn a_pool_that_has_no_connection_to_lend() {
    let database = TestDatabase::new();
    let manager = Manager::new(database.connection_string().parse().unwrap(), NoTls);
    let pool = Pool::builder(manager)
        .max_size(1)
        .wait_timeout(Some(Duration::from_millis(1)))
        .runtime(Runtime::Tokio1)
        .build()
        .unwrap();
    let lent = pool.get().await.unwrap();
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let error = Migrator::new(&migrations).apply(&pool).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
no connection to the database: the pool had none to lend in time
  = note: nothing was changed
  = help: give the pool more connections or more time; a run needs one"
    );
    drop(lent);
    assert_eq!(Migrator::new(&migrations).apply(&pool).await.unwrap().done().len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_closed_already() {
    let database = TestDatabase::new();
    let mut client = database.client().await;
    let ending = client.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())").await;
    assert!(ending.is_err());
    let migrations = registry(&[("1_a.sql", "SELECT 1;")]);
    let error = Migrator::new(&migrations).apply(&mut client).await.unwrap_err();
    assert_eq!(
        rendered(&error),
        "\
asking the server where we are: connection closed
  = note: nothing was changed by this run
  = help: connect again and start again"
    );
    assert_eq!(error.kind(), ErrorKind::Connection);
}
