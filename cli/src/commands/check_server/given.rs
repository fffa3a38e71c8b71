//! A scratch database on a server that somebody names.
//!
//! **Invariant:** it is removed whatever comes of the trial; where it cannot be, that is told.

use std::time::{SystemTime, UNIX_EPOCH};

use dunlin::scratch;

use super::{Rehearsal, Trial};
use crate::answer::Failure;
use crate::args::Secret;
use crate::commands::database::{Leaves, block_on};
use crate::connection::Connection;

pub(super) fn tried(server: &Secret, rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    let server_connection = Connection::of(server, None)?;
    block_on(Leaves::Nothing, server_connection.try_once())?;
    let name = name();
    let tried = on(server, &server_connection, &name, rehearsal);
    // Also when it is not known whether it was created: the answer may have been lost.
    let removed = block_on(Leaves::Nothing, async {
        let client = server_connection.get().await?;
        let removed = scratch::remove(&client, &name).await;
        removed.map_err(|error| server_connection.explain(error))
    });
    let left = format!("the scratch database `{name}` may still be there");
    match (tried, removed) {
        (tried, Ok(())) => tried,
        (Ok(_), Err(failure)) | (Err(failure), Err(_)) => Err(Box::new(failure.note(left))),
    }
}

fn on(
    server: &Secret,
    connection: &Connection,
    name: &str,
    rehearsal: &Rehearsal,
) -> Result<Trial, Box<Failure>> {
    let version = block_on(Leaves::Nothing, async {
        let client = connection.get().await?;
        let created = scratch::create(&client, name).await;
        created.map_err(|error| connection.explain(error))
    })?;
    rehearsal.on(&Connection::of(server, Some(name))?.pool, &version)
}

/// A name that nobody else takes.
fn name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nonce = since.map_or(0, |it| it.as_micros());
    format!("dunlin_check_{}_{nonce}", std::process::id())
}
