//! A database for one test.

use crate::address::Address;
use crate::error::{Error, ignore};
use crate::{random, sql};

/// Names of these databases begin with this: a kept server drops what a crash left of them.
pub(crate) const PREFIX: &str = "dunlin_scratch_";

/// A database of a private server, dropped together with this value.
///
/// Dropping the value runs `DROP DATABASE … WITH (FORCE)`: connections that are still open are
/// ended by the server. It blocks for some milliseconds, also inside a runtime, and does nothing
/// when the server is gone. A database whose value is never dropped (the program was killed, or
/// the value leaked) goes with a throw-away server, and at the next start of a kept one.
#[derive(Debug)]
pub struct Database {
    name: String,
    address: Address,
}

impl Database {
    /// Clones a template under a new name.
    pub(crate) fn create(address: &Address, template: &str, strategy: &str) -> Result<Self, Error> {
        let name = format!("{PREFIX}{:08x}{:08x}", random::number(), random::number());
        let (new, old) = (sql::quoted(&name), sql::quoted(template));
        let statement = format!("CREATE DATABASE {new} TEMPLATE {old}{strategy}");
        match sql::run(address, &statement) {
            Ok(_) => Ok(Self { name, address: address.clone() }),
            Err(failure) => {
                Err(failure.into_error(format!("no database could be cloned from `{template}`")))
            }
        }
    }

    /// The database's name: lower case letters, digits and underscores.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How to connect to it, see [`Server::connection_string`](crate::Server::connection_string).
    #[must_use]
    pub fn connection_string(&self) -> String {
        self.address.connection_string(&self.name)
    }
}

impl AsRef<str> for Database {
    /// The name, so that a database can be the template of others.
    fn as_ref(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql::quoted(&self.name));
        ignore(sql::run(&self.address, &statement), "it goes with the server");
    }
}
