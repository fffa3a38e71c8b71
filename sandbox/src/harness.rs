//! What `#[dunlin_sandbox::test]` expands to calls.
//!
//! **Invariant:** a template is prepared once in a process, by whichever test asks first, and nobody
//! is connected to it afterwards: the runtime that the setup ran on is gone, and with it every
//! connection it had left open.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::any::type_name;
use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::{Database, Server};

/// A prepared database, or why there is none.
type Prepared = Arc<OnceLock<Result<Database, String>>>;

/// Runs a test's future to its end on a runtime of its own.
///
/// # Panics
///
/// When the operating system refuses what a runtime needs.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap_or_else(|error| panic!("no runtime for this test: {error}")).block_on(future)
}

/// An empty database of the shared server.
///
/// # Panics
///
/// When there is no server, with what can be done about it.
#[must_use]
pub fn database() -> Database {
    shared().create_database().unwrap_or_else(|error| panic!("{error:#}"))
}

/// A copy of the database that a setup has prepared.
///
/// # Panics
///
/// When there is no server, and when the setup fails: then in every test that names it.
#[must_use]
pub fn database_after<Setup, E>(setup: &Setup) -> Database
where
    Setup: AsyncFn(&Database) -> Result<(), E>,
    E: Display,
{
    static PREPARED: OnceLock<Mutex<HashMap<&'static str, Prepared>>> = OnceLock::new();
    // The name of a function's type is its path.
    let name = type_name::<Setup>();
    let prepared = {
        let mut all =
            PREPARED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name).or_default())
    };
    let template = prepared.get_or_init(|| {
        let database = database();
        match block_on(setup(&database)) {
            Ok(()) => Ok(database),
            Err(error) => Err(format!("{error:#}")),
        }
    });
    match template {
        Ok(template) => {
            shared().create_database_from(template).unwrap_or_else(|error| panic!("{error:#}"))
        }
        Err(reason) => panic!("the setup `{name}` failed: {reason}"),
    }
}

fn shared() -> &'static Server {
    Server::shared().unwrap_or_else(|error| panic!("{error:#}"))
}
