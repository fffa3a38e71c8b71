//! What trying migrations on a server needs besides running them: a database of their own, and the
//! server's word on statements that are not run.
//!
//! Separate from the engine because no history is involved. It is for the command line, which sends no
//! SQL of its own.

use dunlin_core::lexer::lex;
use dunlin_core::source::{Span, byte_of_character};
use dunlin_core::statement::{Kind, split};
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::error::{Error, Result};
use crate::quote::{identifier, literal};

/// A statement that the server's parser refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The token at which it stopped, in the text.
    pub span: Span,
    /// What it says.
    pub message: String,
    /// The server's hint.
    pub hint: Option<String>,
}

/// Creates a database, and says which version the server has, `15.18`.
///
/// # Errors
///
/// The role may not create one, or there is one of this name.
pub async fn create(client: &Client, name: &str) -> Result<String> {
    let version = client.simple_query("SHOW server_version").await;
    let version = version.map_err(|error| Error::from_postgres("asking for the version", error))?;
    let version = version.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0)?.split(' ').next().map(str::to_owned),
        _ => None,
    });
    let created = client.batch_execute(&creation(name)).await;
    created.map_err(|error| {
        let may_not = error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE);
        let error = Error::refused("creating a scratch database", error);
        if may_not {
            return error.help("let the role create databases: `ALTER ROLE ... CREATEDB`");
        }
        error
    })?;
    Ok(version.unwrap_or_default())
}

fn creation(name: &str) -> String {
    format!("CREATE DATABASE {}", identifier(name))
}

/// Removes a database, whoever is still connected to it, and also while it is being created: a server
/// notices late that whoever wanted it is gone.
///
/// # Errors
///
/// The server refused, or the connection broke.
pub async fn remove(client: &Client, name: &str) -> Result<()> {
    // Of others' sessions a role sees no query. PostgreSQL before 14 has no limit in that function.
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(pid, 10000) FROM pg_catalog.pg_stat_activity \
         WHERE state = 'active' AND query = {} AND pid <> pg_catalog.pg_backend_pid()",
        literal(&creation(name))
    );
    let _ended = client.batch_execute(&end).await;
    let remove = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name));
    let removed = client.batch_execute(&remove).await;
    removed.map_err(|error| Error::refused("removing the scratch database", error))
}

/// What the server's parser says to each statement of a text; none is run.
///
/// In a transaction that has failed, the server parses each statement before it refuses to run it:
/// SQLSTATE 25P02 means that its grammar has the statement.
///
/// # Errors
///
/// The connection broke.
pub async fn parse(client: &Client, text: &str) -> Result<Vec<Refusal>> {
    let broken = |error| Error::from_postgres("having statements parsed", error);
    // Where a backslash escapes is a setting, which nobody sets here.
    if text.contains("standard_conforming_strings") {
        return Ok(Vec::new());
    }
    client.batch_execute("BEGIN").await.map_err(broken)?;
    let _failed = client.batch_execute("SELECT 1 / 0").await;
    let mut refusals = Vec::new();
    let lexed = lex(text);
    let statements = split(text, &lexed);
    // Those would end the transaction.
    let asked = statements.iter().filter(|it| !matches!(it.kind, Kind::Transaction(_)));
    for statement in asked {
        let sql = statement.text(text);
        let Err(error) = client.simple_query(sql).await else { continue };
        let Some(answer) = error.as_db_error() else { return Err(broken(error)) };
        if *answer.code() != SqlState::IN_FAILED_SQL_TRANSACTION {
            let start = statement.span.start;
            let at = start + within(answer, sql);
            let tokens = lexed.tokens.iter().map(|it| it.span);
            let span = tokens.into_iter().find(|it| (it.start..it.end).contains(&at));
            refusals.push(Refusal {
                // At the end of the text there is no token.
                span: span.unwrap_or(Span::new(start, statement.span.end)),
                message: answer.message().to_owned(),
                hint: answer.hint().map(str::to_owned),
            });
        }
    }
    client.batch_execute("ROLLBACK").await.map_err(broken)?;
    Ok(refusals)
}

/// Where the parser stopped, as a byte of the statement.
fn within(answer: &DbError, sql: &str) -> usize {
    match answer.position() {
        Some(ErrorPosition::Original(position)) => {
            byte_of_character(sql, usize::try_from(*position).unwrap_or(1))
        }
        _ => 0,
    }
}
