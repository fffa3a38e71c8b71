//! A scratch database on a server that somebody names.
//!
//! **Invariant:** it is removed whatever comes of what it is for, Ctrl-C included; where it cannot be, its
//! name is told.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

use dunlin::scratch;

use super::database::{Leaves, block_on};
use crate::answer::Failure;
use crate::args::Secret;
use crate::connection::Connection;

/// The database, which may not be there yet.
#[derive(Debug)]
pub(super) struct ScratchDatabase<'a> {
    server: &'a Secret,
    connection: Connection,
    name: String,
    /// Also when it is not known whether it was created: the answer may have been lost.
    may_be_there: Cell<bool>,
}

impl<'a> ScratchDatabase<'a> {
    /// One that a command will create; the name tells which command of which process.
    pub(super) fn of(command: &str, server: &'a Secret) -> Result<Self, Box<Failure>> {
        let connection = Connection::of(server, None)?;
        // The standard library seeds these at random.
        let nonce = RandomState::new().build_hasher().finish();
        let name = format!("dunlin_{command}_{}_{nonce:016x}", std::process::id());
        Ok(Self { server, connection, name, may_be_there: Cell::new(false) })
    }

    /// Creates it, and says which version the server has.
    pub(super) async fn create(&self) -> Result<String, Box<Failure>> {
        let client = self.connection.get().await?;
        self.may_be_there.set(true);
        let created = scratch::create(&client, &self.name).await;
        created.map_err(|error| self.connection.explain(error))
    }

    /// Connections to it.
    pub(super) fn connection(&self) -> Result<Connection, Box<Failure>> {
        Connection::of(self.server, Some(&self.name))
    }

    /// Removes it as soon as it is not needed any more.
    pub(super) async fn remove(&self) -> Result<(), Box<Failure>> {
        if !self.may_be_there.get() {
            return Ok(());
        }
        let client = self.connection.get().await?;
        let removed = scratch::remove(&client, &self.name).await;
        removed.map_err(|error| self.connection.explain(error))?;
        self.may_be_there.set(false);
        Ok(())
    }

    /// What came of it, with the database removed if it still is there.
    pub(super) fn removed<T>(&self, outcome: Result<T, Box<Failure>>) -> Result<T, Box<Failure>> {
        let removed = block_on(Leaves::Nothing, self.remove());
        let left = || format!("the scratch database `{}` may still be there", self.name);
        match (outcome, removed) {
            (outcome, Ok(())) => outcome,
            (Ok(_), Err(failure)) | (Err(failure), Err(_)) => Err(Box::new(failure.note(left()))),
        }
    }
}
