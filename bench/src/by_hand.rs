//! What a person would write who wants it fast and trusts that nothing goes wrong.
//!
//! The same texts, a row with name, checksum and text for each, each migration in its own
//! transaction, all on the wire at once, the disk waited for at the last commit. No lock, no second
//! look, no proof that a predecessor committed, no statement about what failed, no settings given back.

use std::fmt::Write;

use dunlin::Registry;
use futures_util::StreamExt;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::Result;

/// Brings a database up to date.
pub(crate) async fn apply(client: &Client, registry: &Registry) -> Result<()> {
    let Some(applied) = applied(client).await? else {
        let create = "CREATE TABLE by_hand (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, \
             executed_at timestamptz NOT NULL DEFAULT current_timestamp, checksum text, up_text text)";
        client.batch_execute(create).await?;
        return run(client, registry, 0).await;
    };
    let is_as_built = registry.iter().zip(&applied).all(|(migration, (name, checksum))| {
        migration.name() == name && &migration.checksum().to_string() == checksum
    });
    if !is_as_built {
        return Err("the history differs from the build".into());
    }
    run(client, registry, applied.len()).await
}

/// Names and checksums in the history, or nothing when there is none.
async fn applied(client: &Client) -> Result<Option<Vec<(String, String)>>> {
    let messages = client.simple_query("SELECT name, checksum FROM by_hand ORDER BY id").await;
    let messages = match messages {
        Ok(messages) => messages,
        Err(error) if error.code().is_some_and(|it| it.code() == "42P01") => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let column = |row: &tokio_postgres::SimpleQueryRow, at: usize| {
        row.get(at).unwrap_or_default().to_owned()
    };
    Ok(Some(rows.map(|row| (column(row, 0), column(row, 1))).collect()))
}

async fn run(client: &Client, registry: &Registry, n_applied: usize) -> Result<()> {
    let mut answers = Vec::new();
    for (index, migration) in registry.iter().enumerate().skip(n_applied) {
        let mut message = String::from("BEGIN; ");
        if index + 1 < registry.len() {
            message += "SET LOCAL synchronous_commit TO off; ";
        }
        let text = migration.text();
        let quoted = text.replace('\'', "''");
        write!(
            message,
            "{text}; INSERT INTO by_hand (name, checksum, up_text) VALUES ('{}', '{}', '{quoted}'); COMMIT",
            migration.name(),
            migration.checksum(),
        )?;
        answers.push(client.simple_query_raw(&message).await?);
    }
    for answer in answers {
        let mut answer = Box::pin(answer);
        while let Some(message) = answer.next().await {
            let _message = message?;
        }
    }
    Ok(())
}
