//! `#[dunlin_sandbox::test]`, as it is used.

use std::sync::atomic::{AtomicUsize, Ordering};

use dunlin_sandbox::Database;
use tokio_postgres::{Client, Error, NoTls};

static N_SETUPS: AtomicUsize = AtomicUsize::new(0);

async fn connect(database: &Database) -> Result<Client, Error> {
    let (client, connection) =
        tokio_postgres::connect(&database.connection_string(), NoTls).await?;
    drop(tokio::spawn(connection));
    Ok(client)
}

/// Leaves its connection open, as most setups do.
async fn with_users(database: &Database) -> Result<(), Error> {
    assert_eq!(N_SETUPS.fetch_add(1, Ordering::Relaxed), 0, "the template is prepared once");
    connect(database).await?.batch_execute("CREATE TABLE users (email text UNIQUE)").await
}

async fn n_users_after_one_more(database: &Database) -> Result<i64, Error> {
    let client = connect(database).await?;
    client.batch_execute("INSERT INTO users VALUES ('a@example.org')").await?;
    Ok(client.query_one("SELECT count(*) FROM users", &[]).await?.get(0))
}

#[dunlin_sandbox::test(setup = with_users)]
async fn each_test_has_a_copy_of_its_own(database: Database) -> Result<(), Error> {
    assert_eq!(n_users_after_one_more(&database).await?, 1);
    Ok(())
}

#[dunlin_sandbox::test(setup = with_users)]
async fn another_one_does_not_see_what_the_first_has_done(database: &Database) {
    assert_eq!(n_users_after_one_more(database).await.unwrap(), 1);
}

#[dunlin_sandbox::test]
async fn without_a_setup_the_database_is_empty(database: Database) {
    let client = connect(&database).await.unwrap();
    let question = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let n: i64 = client.query_one(question, &[]).await.unwrap().get(0);
    assert_eq!(n, 0);
}

/// Its own name does not stand in the way of the argument's.
#[dunlin_sandbox::test]
fn database(database: &Database) {
    assert_eq!(crate::life::ask(&database.connection_string(), "SELECT 1"), "1");
}

#[dunlin_sandbox::test]
async fn a_test_need_not_take_a_database() {
    tokio::task::yield_now().await;
}

#[dunlin_sandbox::test]
#[should_panic(expected = "on purpose")]
async fn attributes_of_the_function_are_the_test_s() {
    panic!("on purpose");
}

async fn broken(_: &Database) -> Result<(), String> {
    Err("no such table".to_owned())
}

#[dunlin_sandbox::test(setup = broken)]
#[should_panic(expected = "attribute::broken` failed: no such table")]
async fn a_setup_that_fails_is_named(_database: Database) {}
