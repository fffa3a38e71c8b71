//! Where an interrupted file goes on, and what its finished statements have set.

use dunlin_core::statement::Statement;
use tokio_postgres::Error as PostgresError;

use super::progress::done_sentence;
use crate::applied::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Direction;
use crate::execute::Execution;
use crate::execute_evidence::Evidence;
use crate::lock::is_of_another;
use crate::quote::literal;
use crate::script::SqlText;

impl Execution<'_, '_> {
    /// How many statements of an interrupted migration or undo are done, if that can be told.
    pub(crate) async fn resume(
        &self,
        name: &str,
        progress: Progress,
        stored: &str,
        sql: &SqlText<'_>,
    ) -> Result<usize> {
        let Progress { n_done, n_begun, .. } = progress;
        let subject = self.subject(name);
        let stored = SqlText::new(name, stored);
        let statement = |sql: &SqlText<'_>, index: usize| {
            sql.statements.get(index).map(|it| it.text(sql.text).to_owned())
        };
        let edited = (0..n_done).find(|&index| statement(&stored, index) != statement(sql, index));
        if let Some(index) = edited {
            return Err(Error::new(
                ErrorKind::Drift,
                format!(
                    "the {n_done} completed statement(s) of the unfinished {subject} were edited"
                ),
            )
            .place(Some(sql.place_of(index)))
            .note("nothing was changed; an earlier run completed them as they were")
            .help("restore these statements; the ones behind them may be edited"));
        }
        let Some(begun) = sql.statements.get(n_done).filter(|_| n_begun > n_done) else {
            return Ok(n_done);
        };
        let evidence = match self.replay_settings(sql, n_done).await {
            Ok(()) => self.evidence(begun, sql).await,
            Err((_, error)) if is_of_another(&error) => Err(error),
            Err(_) => Ok(Evidence::Unknown(Vec::new())),
        };
        self.restore(name, sql).await?;
        match evidence.map_err(|error| {
            let lost = self.lost_lock(name, &error).map(|made| made.note(self.state()));
            lost.unwrap_or_else(|| {
                Error::from_looking(&format!("looking what became of {subject}"), error)
            })
        })? {
            Evidence::Done => Ok(n_done + 1),
            Evidence::Missing | Evidence::Harmless => Ok(n_done),
            Evidence::Unknown(facts) => Err(self.cut_off(name, n_done, sql, facts)),
        }
    }

    /// What the first statements have set for those behind them, which an earlier session has
    /// forgotten, each in a transaction as before. Fails with the statement that was refused.
    pub(super) async fn replay_settings(
        &self,
        sql: &SqlText<'_>,
        n_done: usize,
    ) -> Result<(), (usize, PostgresError)> {
        for (index, statement) in sql.statements.iter().take(n_done).enumerate() {
            if is_setting(statement, sql) {
                let replayed = self.replay(statement.text(sql.text)).await;
                replayed.map_err(|error| (index, error))?;
            }
        }
        Ok(())
    }

    /// The statement is a message of its own, so that the server counts its characters alone.
    async fn replay(&self, setting: &str) -> Result<(), PostgresError> {
        let guard = self.session.guard_of_session();
        let begin = self.session.send(&format!("BEGIN; SELECT {guard}")).await?;
        let body = self.session.send(setting).await?;
        // Behind an error it rolls back.
        let end = self.session.send("COMMIT").await?;
        for answers in [begin, body, end] {
            let _n = answers.finish().await.map_err(|failure| failure.error)?;
        }
        Ok(())
    }

    /// Nobody knows whether a statement took effect, or what it left is not what it makes.
    fn cut_off(&self, name: &str, n_done: usize, sql: &SqlText<'_>, facts: Vec<String>) -> Error {
        let (table, name_literal, number) = (&self.history.qualified, literal(name), n_done + 1);
        let (subject, n_statements) = (self.subject(name), sql.statements.len());
        let what_it_says = if facts.is_empty() {
            "; whether this one took effect cannot be told from here"
        } else {
            ""
        };
        let made = Error::new(
            ErrorKind::Migration,
            format!("{subject} was cut off in statement {number} of {n_statements}"),
        )
        .place(Some(sql.place_of(n_done)))
        .note(format!("{}{what_it_says}", done_sentence(n_done, n_statements)));
        let made =
            facts.into_iter().fold(made, Error::note).note("nothing was changed by this run");
        // The last statement of an undo takes the row with it.
        let done = if self.direction == Direction::Down && number == n_statements {
            self.history.delete(name)
        } else {
            format!("UPDATE {table} SET statements_done = {number} WHERE name = {name_literal}")
        };
        made.help(format!("look. If it took effect: {done};")).help(format!(
            "if it did not: UPDATE {table} SET statements_begun = {n_done} WHERE name = {name_literal}; then start again"
        ))
    }
}

/// The failure of a file that goes on behind `n_done` statements, which an earlier session ran. What they
/// made for its length nobody can make again unasked: it may have had content.
pub(super) fn in_another_session(error: Error, sql: &SqlText<'_>, n_done: usize) -> Error {
    let may_miss = sql.residue_of_first(n_done).now.belongings;
    if !may_miss || error.kind() != ErrorKind::Migration {
        return error;
    }
    let finished = match n_done {
        1 => "statement 1 was run in an earlier session, and what it".to_owned(),
        _ => format!("statements 1 to {n_done} were run in an earlier session, and what they"),
    };
    error
        .note(format!("{finished} made for its length, such as a temporary table, is gone"))
        .help("if it needs that, make it again in front of this statement: what is not done may be edited")
}

/// Whether a statement does nothing but set something for those behind it.
fn is_setting(statement: &Statement, sql: &SqlText<'_>) -> bool {
    if matches!(statement.command, "SET" | "RESET") {
        return true;
    }
    let text = statement.text(sql.text).to_ascii_lowercase();
    let call = text.strip_prefix("select").map(str::trim_start).unwrap_or_default();
    let call = call.strip_prefix("pg_catalog.").unwrap_or(call);
    call.starts_with("set_config") && call.ends_with(')') && call.matches('(').count() == 1
}
