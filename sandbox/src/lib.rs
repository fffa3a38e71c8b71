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
pub use error::{Error, Running};
pub use server::Server;
