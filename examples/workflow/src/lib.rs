//! An approval workflow: a small HTTP service that brings its database up to date when it starts.
//!
//! Two programs share this library. `workflow` migrates and serves; `migrate` only migrates, and
//! shows and undoes. What there is to see of Dunlin is one line here, [`MIGRATIONS`], and one
//! statement in each program.
//!
//! | module | owns |
//! | --- | --- |
//! | [`database`] | which server, the pool, the private PostgreSQL |
//! | [`console`] | the lines a person reads |
//! | [`routes`] | HTTP |
//! | [`requests`] | the rules of requests and levels, their SQL |
//! | [`kpis`] | the figures |
//! | [`shutdown`] | Ctrl-C and SIGTERM |

pub mod console;
pub mod database;
pub mod error;
pub mod kpis;
pub mod requests;
pub mod routes;
pub mod shutdown;

/// The migrations, as they were when this was built.
pub static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!("../../migrations");
